//! Builds the Wasm blob that the chain executes; a native-only build (`no-default-features`) skips it.

fn main() {
    #[cfg(feature = "std")]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
    #[cfg(all(feature = "std", feature = "own-code-blob"))]
    substrate_wasm_builder::WasmBuilder::init_with_defaults()
        .enable_feature("own-code")
        .set_file_name("own_code.rs")
        .build();
}
