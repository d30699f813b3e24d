/** The operations that are measured, as the clients of the contract send them. */
const taskFields = `fragment TaskFields on Task {
  id name type priority status assignedTo description deadline attempts maxAttempts
  createdAt updatedAt startedAt finishedAt createdBy { id }
}`;

export const taskQuery = `query Task($id: ID!) { task(id: $id) { ...TaskFields parameters result error } } ${taskFields}`;

export const tasksQuery = `query Tasks($first: Int) {
  tasks(first: $first) { edges { cursor node { ...TaskFields } } pageInfo { hasNextPage endCursor } }
} ${taskFields}`;

export const submitQuery = `mutation SubmitTelemetry($input: TelemetryInput!) {
  submitTelemetry(input: $input) { telemetry { agentId timestamp } }
}`;

export const submitBatchQuery = `mutation SubmitTelemetryBatch($inputs: [TelemetryInput!]!) {
  submitTelemetryBatch(inputs: $inputs) { accepted duplicates rejected { index code message field } }
}`;
