import {
  type AgentEventsRequest,
  type AgentEventsResponse,
  GapPolicy,
} from "../gen/chatbridge/v1/agent_event_service_pb.js";

/** Whether a response is a gap that ends the stream: its cursor lies behind what was missed, so nobody may go on from there. */
export function failsStream(response: AgentEventsResponse, { gapPolicy }: AgentEventsRequest): boolean {
  return response.payload.case === "gap" && (gapPolicy === GapPolicy.UNSPECIFIED || gapPolicy === GapPolicy.FAIL);
}
