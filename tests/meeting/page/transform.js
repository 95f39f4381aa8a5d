/* SPDX-License-Identifier: Apache-2.0 */
// What a page with end-to-end encryption does: every picture goes through a worker of its own.
'use strict';

self.onrtctransform = (event) => {
  const {readable, writable} = event.transformer;
  readable.pipeTo(writable);
};
