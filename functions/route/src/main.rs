//! The `route` function on Lambda.

fn main() -> colloquy_edge::Ended {
    colloquy_edge::run::<route::App>()
}
