//! A setting is declared once: its flag, its variable, its name in the file, its default, and what
//! it must not be, are made of that.

/// Declares the settings: what can be told of them, and what is in force. `told` are those that are
/// read otherwise than they are kept; `in_force` is what they are kept as.
macro_rules! settings {
    (
        $(#[$of_args:meta])* told $Args:ident { $($told:tt)* }
        $(#[$of_config:meta])* in_force $Config:ident {
            $($(#[$kept_meta:meta])* $kept:ident: $Kept:ty = $kept_default:expr;)*
        }
        plain {
            $($(#[doc = $doc:literal])* $name:ident: $Type:ty = $default:expr, $env:literal $value:literal $($rule:ident)? $(($($clap:tt)*))?;)*
        }
    ) => {
        $(#[$of_args])*
        #[derive(Clone, Debug, Default, Args, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $Args {
            $($told)*
            $(
                $(#[doc = $doc])*
                #[arg(long, env = $env, value_name = $value $(, $($clap)*)?)]
                pub $name: Option<$Type>,
            )*
        }

        $(#[$of_config])*
        #[derive(Clone, Debug, Serialize)]
        pub struct $Config {
            /// Data folder.
            pub data: PathBuf,
            $($(#[$kept_meta])* pub $kept: $Kept,)*
            $($(#[doc = $doc])* pub $name: $Type,)*
        }

        impl $Config {
            /// What is in force where nobody said otherwise.
            pub fn at(data: PathBuf) -> Self {
                Self { data, $($kept: $kept_default,)* $($name: $default,)* }
            }

            /// Takes what was told of the plain settings, by the first who told.
            pub fn take(&mut self, first: &mut $Args, then: &mut $Args) {
                $(
                    if let Some(told) = first.$name.take().or(then.$name.take()) {
                        self.$name = told;
                    }
                )*
            }

            /// The flags of those that must be at least 1 and are not.
            fn not_positive(&self) -> Vec<String> {
                let mut flags = Vec::new();
                $($(settings!(@$rule flags, self, $name);)?)*
                flags
            }
        }
    };
    (@positive $flags:ident, $self:ident, $name:ident) => {
        if $self.$name == 0 {
            $flags.push(format!("--{}", stringify!($name).replace('_', "-")));
        }
    };
}
pub(super) use settings;
