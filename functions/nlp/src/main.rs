//! The `nlp` function on Lambda.

fn main() -> colloquy_edge::Ended {
    colloquy_edge::run::<nlp::App>()
}
