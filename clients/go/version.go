package chatbridge

// Version is the library's.
const Version = "0.1.0"
