/**
 * Creates streams over HTTP: see {@linkcode CreatePlan}.
 *
 * @module
 */

import { answer, type CreatePlan, planOf } from "./plan.ts";
import { createRequest } from "./requests.ts";
import { sendAll } from "./seed.ts";

const plan = planOf<CreatePlan>();
sendAll(plan.port, plan.count, (n) => createRequest(`${plan.prefix}s${n}`));
answer({});
