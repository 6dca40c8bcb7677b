// The activities of a shop.

import { activityInfo, ApplicationFailure } from '@temporalio/activity'

export async function reserve(item) {
  await new Promise((resolve) => setTimeout(resolve, 300))
  return { item, shelf: `A-${item.length}` }
}

export async function charge() {
  if (activityInfo().attempt < 3) throw ApplicationFailure.retryable('the bank did not answer', 'BankTimeout')
  return 'receipt-1'
}

export async function ship(address) {
  throw ApplicationFailure.nonRetryable(`no carrier for ${address}`, 'NoCarrier')
}
