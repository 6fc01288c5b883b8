//! Weights of the calls and hooks.
