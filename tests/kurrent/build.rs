//! Makes the protocol's types from the published protos, without `protoc`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=protos");
    let files = ["streams.proto", "gossip.proto", "serverfeatures.proto"];
    let set = protox::compile(files, ["protos"])?;
    tonic_build::configure().build_client(false).compile_fds(set)?;
    Ok(())
}
