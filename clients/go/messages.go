package chatbridge

import pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"

// FromUser is a text that the customer wrote.
func FromUser(text string) *pb.MessageInput {
	return &pb.MessageInput{AuthorType: pb.AuthorType_AUTHOR_TYPE_USER, Text: text}
}

// FromBot is a text that the bot wrote.
func FromBot(text string) *pb.MessageInput {
	return &pb.MessageInput{AuthorType: pb.AuthorType_AUTHOR_TYPE_BOT, Text: text}
}

// ToQueue routes to the queue with the vendor's identifier id.
func ToQueue(id string) *pb.Assignment {
	return &pb.Assignment{Type: pb.AssignmentType_ASSIGNMENT_TYPE_QUEUE, Id: id}
}

// ToScript routes to the script with the vendor's identifier id.
func ToScript(id string) *pb.Assignment {
	return &pb.Assignment{Type: pb.AssignmentType_ASSIGNMENT_TYPE_SCRIPT, Id: id}
}
