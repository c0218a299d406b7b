//! The `rollup` function on Lambda.

fn main() -> colloquy_edge::Ended {
    colloquy_edge::run::<rollup::App>()
}
