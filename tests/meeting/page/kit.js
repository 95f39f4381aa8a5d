// SPDX-License-Identifier: Apache-2.0
// What the stand-ins of all platforms share.
'use strict';

// How this page differs from the usual one: "page.quirks" in docs/test-meeting.md.
const quirks = new Set((document.documentElement.dataset.quirks || '').split(' '));

// el('button', {'aria-label': 'x', onclick: f}, child, 'text', …)
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on'))
      element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false)
      element.setAttribute(key, value);
  }
  element.append(...children.filter((c) => c !== null));
  return element;
}

// --- a chat as page.chat has it ---

function chatContent(field) {
  return field.value === undefined ? field.innerText : field.value;
}

function emptyChat(field) {
  if (field.value === undefined)
    field.replaceChildren();
  else
    field.value = '';
}

// "late": 6 s after its button.
function showChat(show) {
  if (document.documentElement.dataset.chat === 'late')
    setTimeout(show, 6000);
  else
    show();
}

// "refusing": what is written into the field is gone at once, twice.
let nRefusals = document.documentElement.dataset.chat === 'refusing' ? 2 : 0;

function refuseAtFirst(field) {
  field.addEventListener('input', () => {
    if (nRefusals > 0 && chatContent(field).trim() !== '') {
      nRefusals--;
      emptyChat(field);
    }
  });
}

// The names in a message, one a line.
function namesOf(lines) {
  return lines === '' ? [] : lines.split('\n');
}

// What is pressed while the signalling socket is still being opened counts too.
function sendWhenOpen(socket, message) {
  if (socket && socket.readyState === WebSocket.CONNECTING)
    socket.addEventListener('open', () => sendWhenOpen(socket, message), {once: true});
  else if (socket && socket.readyState === WebSocket.OPEN)
    socket.send(JSON.stringify(message));
}

// The page's connection to the server, with an alert while there is none. state: token, ended, call,
// and gets the socket; hear(data): what is no text.
function dialServer(state, handlers, alertText, hear) {
  const socket = new WebSocket(`wss://${location.host}/_steno/signal?token=${state.token}`);
  const alerts = () => [...document.querySelectorAll('[role="alert"]')];
  state.socket = socket;
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', (event) => {
    if (typeof event.data !== 'string') {
      hear(event.data);
      return;
    }
    const message = JSON.parse(event.data);
    if (handlers[message.t])
      handlers[message.t](message);
    else if (state.call)
      state.call.handle(message);
    alerts().forEach((alert) => alert.remove());
  });
  socket.addEventListener('close', () => {
    if (state.ended)
      return;
    if (alerts().length === 0)
      document.body.append(el('div', {role: 'alert'}, alertText));
    setTimeout(() => dialServer(state, handlers, alertText, hear), 1000);
  });
}

// Blink lays out nested boxes by recursion: deep enough, and the renderer's stack overflows.
function crash() {
  const top = document.createElement('div');
  let parent = top;
  for (let i = 0; i < 20000; i++) {
    const child = document.createElement('div');
    parent.append(child);
    parent = child;
  }
  document.body.append(top);
  return document.body.offsetHeight;
}
