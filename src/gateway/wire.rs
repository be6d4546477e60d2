//! Wire shapes of the Chat Gateway.
