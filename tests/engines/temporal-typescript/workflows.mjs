// The workflows of a shop. Temporal bundles this file, and runs it in a sandbox.

import {
  condition,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow'

const { reserve, charge, ship } = proxyActivities({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '700ms' },
})

/** Two parallel activities, and a timer. */
export async function order({ orderId, items }) {
  const shelves = await Promise.all(items.map((item) => reserve(item)))
  await sleep('500ms')
  return { orderId, shelves }
}

/** An activity that succeeds in its third attempt. */
export const payment = (amount) => charge(amount)

/** An activity that fails, and with it the workflow. */
export const shipping = (address) => ship(address)

/** A child workflow, which waits for a signal. */
export async function checkout({ orderId }) {
  const workflowId = `${workflowInfo().workflowId}-approval`
  return { orderId, approval: await executeChild(approval, { args: [orderId], workflowId }) }
}

export async function approval(orderId) {
  let approver
  setHandler(defineSignal('approve'), (name) => {
    approver = name
  })
  await condition(() => approver !== undefined)
  return `${orderId} approved by ${approver}`
}
