// Package chatbridge hands chats to human agents of the 8x8 contact centre and hears what they do, through a Chatbridge
// service.
//
// [New] makes a [Client], which has each call as a method. [Client.AgentEvents] gives what agents do, and goes on over breaks.
// Requests and responses are the messages of the contract, in package chatbridgev1 beside this one.
package chatbridge
