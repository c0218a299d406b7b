//! The `webhook` function on Lambda.

fn main() -> colloquy_edge::Ended {
    colloquy_edge::run::<webhook::App>()
}
