//! Colloquy on one machine: reads the deployed template and plays AWS for the very functions that are deployed.
//!
//! It deliberately holds no copy of what the functions do, and nothing here is part of a deployment.

pub mod template;

pub mod engine;

pub mod functions;

pub mod host;

pub mod sandbox;

pub mod pages;

pub mod seed;
