package chatbridge

import (
	"context"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/chatbridge/chatbridge/clients/go/chatbridge/v1"
)

// pageSize is of the pages of an iteration whose request does not say: the largest that the contract allows.
const pageSize = 100

// AllConversations ranges over what ListConversations lists, page after page. An error is the last that it gives; each page has
// the deadline of a call. This holds for the other iterations too.
func (c *Client) AllConversations(
	ctx context.Context, request *pb.ListConversationsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Conversation, error] {
	return all(ctx, request, opts, c.ListConversations, (*pb.ListConversationsResponse).GetConversations)
}

// AllInteractions ranges over what ListInteractions lists, as AllConversations does.
func (c *Client) AllInteractions(
	ctx context.Context, request *pb.ListInteractionsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Interaction, error] {
	return all(ctx, request, opts, c.ListInteractions, (*pb.ListInteractionsResponse).GetInteractions)
}

// AllMessages ranges over what ListMessages lists, as AllConversations does.
func (c *Client) AllMessages(
	ctx context.Context, request *pb.ListMessagesRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Message, error] {
	return all(ctx, request, opts, c.ListMessages, (*pb.ListMessagesResponse).GetMessages)
}

// AllCards ranges over what ListCards lists, as AllConversations does.
func (c *Client) AllCards(
	ctx context.Context, request *pb.ListCardsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Card, error] {
	return all(ctx, request, opts, c.ListCards, (*pb.ListCardsResponse).GetCards)
}

// AllParticipants ranges over what ListParticipants lists, as AllConversations does.
func (c *Client) AllParticipants(
	ctx context.Context, request *pb.ListParticipantsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Participant, error] {
	return all(ctx, request, opts, c.ListParticipants, (*pb.ListParticipantsResponse).GetParticipants)
}

// AllAttachments ranges over what ListAttachments lists, as AllConversations does.
func (c *Client) AllAttachments(
	ctx context.Context, request *pb.ListAttachmentsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Attachment, error] {
	return all(ctx, request, opts, c.ListAttachments, (*pb.ListAttachmentsResponse).GetAttachments)
}

// AllSessions ranges over what ListSessions lists, as AllConversations does.
func (c *Client) AllSessions(
	ctx context.Context, request *pb.ListSessionsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Session, error] {
	return all(ctx, request, opts, c.ListSessions, (*pb.ListSessionsResponse).GetSessions)
}

// AllSubscriptions ranges over what ListSubscriptions lists, as AllConversations does.
func (c *Client) AllSubscriptions(
	ctx context.Context, request *pb.ListSubscriptionsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Subscription, error] {
	return all(ctx, request, opts, c.ListSubscriptions, (*pb.ListSubscriptionsResponse).GetSubscriptions)
}

// AllWebhooks ranges over what ListWebhooks lists, as AllConversations does.
func (c *Client) AllWebhooks(
	ctx context.Context, request *pb.ListWebhooksRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Webhook, error] {
	return all(ctx, request, opts, c.ListWebhooks, (*pb.ListWebhooksResponse).GetWebhooks)
}

// AllChannels ranges over what ListChannels lists, as AllConversations does.
func (c *Client) AllChannels(
	ctx context.Context, request *pb.ListChannelsRequest, opts ...grpc.CallOption,
) iter.Seq2[*pb.Channel, error] {
	return all(ctx, request, opts, c.ListChannels, (*pb.ListChannelsResponse).GetChannels)
}

// all reads page after page of a list and gives its items. The caller's request stays as it is.
func all[Request proto.Message, Page interface{ GetNextPageToken() string }, Item any](
	ctx context.Context,
	request Request,
	opts []grpc.CallOption,
	list func(context.Context, Request, ...grpc.CallOption) (Page, error),
	items func(Page) []Item,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		next := request.ProtoReflect().New()
		proto.Merge(next.Interface(), request)
		fields := next.Descriptor().Fields()
		if size := fields.ByName("page_size"); !next.Has(size) {
			next.Set(size, protoreflect.ValueOfInt32(pageSize))
		}
		for {
			page, err := list(ctx, next.Interface().(Request), opts...)
			if err != nil {
				var none Item
				yield(none, err)
				return
			}
			for _, item := range items(page) {
				if !yield(item, nil) {
					return
				}
			}
			token := page.GetNextPageToken()
			if token == "" {
				return
			}
			next.Set(fields.ByName("page_token"), protoreflect.ValueOfString(token))
		}
	}
}
