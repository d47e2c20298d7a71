//! The events of an aggregate are declared once: name, payload version, variant. Everything that
//! lists events is made from that.

/// Declares the events of one aggregate: the enum with its payloads, and an enum of their names for
/// whoever reads records without their payloads. A published payload is frozen: a change is a new
/// version, an upcaster and a golden file.
macro_rules! events {
    (
        $(#[$of_all:meta])*
        $Event:ident, $Kind:ident {
            $($(#[$of:meta])* $name:literal $version:literal $Variant:ident $(($($one:tt)*))? $({$($fields:tt)*})?,)*
        }
    ) => {
        $(#[$of_all])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $Event {
            $($(#[$of])* #[serde(rename = $name)] $Variant $(($($one)*))? $({$($fields)*})?,)*
        }

        #[doc = concat!("What kind of [`", stringify!($Event), "`].")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Kind {
            $($(#[$of])* $Variant,)*
        }

        impl $Kind {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

            /// The stable name, as it is stored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$Variant => $name,)* }
            }

            /// The payload version that is written today.
            pub fn version(self) -> &'static str {
                match self { $(Self::$Variant => $version,)* }
            }

            /// The kind that is stored under a name; none if this version of Rollcall does not know
            /// it.
            pub fn named(event_type: &str) -> Option<Self> {
                match event_type { $($name => Some(Self::$Variant),)* _ => None }
            }
        }

        impl $Event {
            /// What kind of event.
            pub fn kind(&self) -> $Kind {
                match self { $(Self::$Variant { .. } => $Kind::$Variant,)* }
            }
        }

        impl crate::decode::Declared for $Event {
            fn is_declared(event_type: &str) -> bool {
                $Kind::named(event_type).is_some()
            }
        }

        impl cqrs_es::DomainEvent for $Event {
            fn event_type(&self) -> String {
                self.kind().as_str().to_owned()
            }
            fn event_version(&self) -> String {
                self.kind().version().to_owned()
            }
        }
    };
}
pub(crate) use events;
