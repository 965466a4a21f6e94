// Replays a schedule exactly: iteration i waits for the i-th send time and sends the i-th request.
// Parameters: TARGET (URL), SCHEDULE (file), VUS (requests in flight at most), TIMEOUT (such as 60s).
// k6 reads an answer as a whole and knows no server-sent events: first_byte_ms stands for the time to the first token.
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { SharedArray } from 'k6/data';
import { Trend } from 'k6/metrics';

const [schedule] = new SharedArray('schedule', () => [JSON.parse(open(__ENV.SCHEDULE || './schedule.json'))]);
const requests = new SharedArray('requests', () => JSON.parse(open(__ENV.SCHEDULE || './schedule.json')).requests);
const target = __ENV.TARGET || schedule.target;
const vus = Number(__ENV.VUS || schedule.vus);

const sendLag = new Trend('replay_send_lag_ms', true);
const firstByte = new Trend('replay_first_byte_ms', true);
const latency = new Trend('replay_latency_ms', true);
const status = new Trend('replay_status');

export const options = {
  maxRedirects: 0,
  summaryTrendStats: ['p(50)', 'p(95)', 'p(99)', 'max'],
  scenarios: {
    replay: {
      executor: 'shared-iterations',
      vus: Math.min(vus, requests.length),
      iterations: requests.length,
      maxDuration: `${Math.ceil(schedule.duration_seconds + schedule.timeout_seconds + 10)}s`,
    },
  },
};

function body(number, inputTokens, outputTokens) {
  if (schedule.kind === 'classification') {
    return { inputs: [{ name: 'images', shape: [1], datatype: 'BYTES', data: ['0'] }] };
  }
  const common = { max_tokens: outputTokens, ignore_eos: true, stream: true, stream_options: { include_usage: true } };
  if (schedule.model) common.model = schedule.model;
  const rest = inputTokens - 1;
  if (schedule.prompt === 'count') return { ...common, prompt: 'a', prompt_tokens: inputTokens };
  if (schedule.prompt === 'chat') {
    return { ...common, messages: [{ role: 'user', content: `${number}${' the'.repeat(rest)}` }] };
  }
  if (schedule.prompt === 'text') return { ...common, prompt: `${number}${' the'.repeat(rest)}` };
  return { ...common, prompt: [1001 + (number % 8000), ...new Array(rest).fill(1000)] };
}

export default function () {
  const number = exec.scenario.iterationInTest;
  const [at, inputTokens, outputTokens] = requests[number];
  const payload = JSON.stringify(body(number, inputTokens, outputTokens));
  const due = exec.scenario.startTime + at * 1000;
  const wait = due - Date.now();
  if (wait > 0) sleep(wait / 1000);
  const sent = Date.now();
  const answer = http.post(target, payload, {
    headers: { 'Content-Type': 'application/json' },
    timeout: __ENV.TIMEOUT || `${schedule.timeout_seconds}s`,
    responseType: 'none',
    redirects: 0,
  });
  const ended = Date.now();
  const tags = { request: String(number) };
  sendLag.add(Math.max(0, sent - due), tags);
  firstByte.add(ended - answer.timings.receiving - due, tags);
  latency.add(ended - due, tags);
  status.add(answer.status, tags);
}
