//! The command line's behaviour as files: help of every command, and what bad input gives, without a node.

#[test]
fn commands() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").case("tests/cmd/*.toml");
}
