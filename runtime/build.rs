//! Builds the Wasm blob that the chain executes; a native-only build (`no-default-features`) skips it.

fn main() {
    #[cfg(feature = "std")]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
