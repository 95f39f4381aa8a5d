// SPDX-License-Identifier: Apache-2.0
// One call of the Meeting BaaS SDK, unchanged: node call.mjs URL KEY METHOD PARAMS VALIDATOR.
// Prints {result, wrong}: what the SDK returned, and what its own validator says against it.
import * as sdk from "@meeting-baas/sdk";

const [baseUrl, apiKey, method, params, validator] = process.argv.slice(2);
const client = sdk.createBaasClient({ api_key: apiKey, api_version: "v1", base_url: baseUrl });
const result = await client[method](...(params ? [JSON.parse(params)] : []));
let wrong = null;
if (validator && result.success) {
  const parsed = sdk[validator].safeParse(result.data);
  wrong = parsed.success ? null : parsed.error.issues;
}
const error = result.success ? null : { status: result.error.response?.status,
  data: result.error.response?.data, message: String(result.error) };
process.stdout.write(JSON.stringify({ success: result.success, data: result.data, error, wrong }));
