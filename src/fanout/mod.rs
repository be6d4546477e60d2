//! From the log to subscribers: one reader tails the log, a hub hands each entry to the subscribers that asked for it, and
//! a subscriber reads the log by itself wherever the live feed cannot serve it.
//!
//! The seam between the two is a place in each partition: a subscriber joins the hub, which tells how far the live feed
//! has come; reads the log from its cursor to there; and then takes the live feed, leaving out what it has seen. A
//! subscriber whose queue is full is detached: the queue is let go, and it begins again from where it is. So a slow one
//! delays nobody and loses nothing, and the loss of the live feed is the same case.
//!
//! A conversation that is added to a subscriber has a *lane*: a place of its own until it has come to where the subscriber
//! is. See `lane`.

mod change;
mod filter;
mod hub;
mod inbox;
mod lane;
mod pace;
mod places;
mod reading;
mod subscriber;

pub use filter::Filter;
pub use hub::{Hub, Lag, Progress};
pub use lane::{Added, Change};
pub use pace::PATIENCE;
pub use subscriber::{Delivery, GapPolicy, Start, Subscriber};

#[cfg(test)]
mod tests;
