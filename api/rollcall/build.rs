//! Finds out which versions of the C libraries the binary is built with, for `--version`. They say
//! it by themselves only through calls that are not safe.

fn main() {
    for (library, variable) in
        [("libxml-2.0", "BUILT_WITH_LIBXML2"), ("xmlsec1", "BUILT_WITH_XMLSEC")]
    {
        let found = pkg_config::Config::new().cargo_metadata(false).probe(library);
        let version = found.map_or_else(|_| "unknown".to_owned(), |library| library.version);
        println!("cargo::rustc-env={variable}={version}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
