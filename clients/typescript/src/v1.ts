// Generated from proto/, by `make generate`: all messages, enums and services of the contract.
export * from "./gen/chatbridge/v1/agent_event_pb.js";
export * from "./gen/chatbridge/v1/agent_event_service_pb.js";
export * from "./gen/chatbridge/v1/attachment_service_pb.js";
export * from "./gen/chatbridge/v1/configuration_service_pb.js";
export * from "./gen/chatbridge/v1/conversation_pb.js";
export * from "./gen/chatbridge/v1/conversation_service_pb.js";
export * from "./gen/chatbridge/v1/session_pb.js";
export * from "./gen/chatbridge/v1/session_service_pb.js";
export * from "./gen/chatbridge/v1/subscription_service_pb.js";
