//! The `reports` function on Lambda.

fn main() -> colloquy_edge::Ended {
    colloquy_edge::run::<reports::App>()
}
