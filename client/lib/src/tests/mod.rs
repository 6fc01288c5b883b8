//! Voters' clients against nodes that lie.

mod lies;
mod node;
mod world;
