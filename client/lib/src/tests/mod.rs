//! Clients against nodes that lie.

mod lies;
mod node;
mod roll;
mod world;
