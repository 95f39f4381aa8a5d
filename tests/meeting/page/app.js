// SPDX-License-Identifier: Apache-2.0
// A stand-in for Google Meet's page: the markers that a bot finds its way by, nothing else of it.
'use strict';

const root = document.getElementById('root');
const settings = document.documentElement.dataset;
const isNew = settings.wording === 'new';
const isOld = settings.wording === 'old';

// What the page has said at one time or another.
const words = {
  new: {
    ask: 'Ask to join', join: 'Join now', asking: 'Asking to be let in...',
    waiting: 'Please wait until a meeting host brings you into the call',
    hostAbsent: 'Waiting for the host to join', blocked: "You can't join this video call",
    denied: 'Someone in the call denied your request to join',
    notFound: ['Check your meeting code', 'The meeting code you entered doesn’t work'],
    removed: ["You've been removed from the meeting", ''],
    ended: ['Your host ended the meeting for everyone', 'The call ended'],
    chat: 'Chat with everyone', chatInput: 'Send a message', close: 'Close dialog',
    layout: 'Adjust view', gotIt: 'Got it',
  },
  old: {
    ask: 'Ask to join anyway', join: 'Join the call now', asking: 'Asking to join',
    waiting: "You'll be in as soon as somebody admits you to the call",
    hostAbsent: 'Waiting for the host', blocked: 'There is a problem connecting to this video call',
    denied: 'Your request to join was denied', notFound: ['Invalid video call name', ''],
    removed: ['You’ve been removed', 'by somebody in the call'], ended: ['The call ended', ''],
    chat: 'Chat with everyone - New message', chatInput: 'Send a message to everyone',
    close: 'Close', layout: 'Change layout', gotIt: 'Dismiss',
  },
  british: {
    ask: 'Ask to join', join: 'Join here too', asking: 'Your request to join has been sent',
    waiting: 'You are waiting to be let in', hostAbsent: 'Waiting for the host to join',
    blocked: 'You can’t join this video call',
    denied: 'Someone in the call denied your request to join',
    notFound: ['Your meeting code has expired', ''],
    removed: ['You’ve been removed from the meeting', ''],
    ended: ['Your host ended the meeting for everyone', ''],
    chat: 'Chat with everyone', chatInput: 'Send a message', close: 'Close dialogue',
    layout: 'Adjust view', gotIt: 'Got it',
  },
}[settings.wording];

const state = {
  phase: 'prejoin', name: '', people: [], streams: new Map(), token: '', call: null,
  socket: null, ended: false, panel: null, chat: [], sound: null, speaking: new Set(),
  mic: {on: true, track: null, button: 'microphone', kind: 'audio'},
  camera: {on: true, track: null, button: 'camera', kind: 'video'},
};

function textButton(text, onclick, attributes) {
  return el('button', {...attributes, onclick}, el('span', {jsname: 'V67aGc'}, text));
}

function send(message) {
  sendWhenOpen(state.socket, message);
}

// --- microphone and camera ---

async function acquire(device) {
  if (device.track && device.track.readyState === 'live')
    return;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({[device.kind]: true});
    device.track = stream.getTracks()[0];
  } catch (error) {
    device.track = null;
    if (state.phase === 'prejoin')
      device.on = false;
  }
  refreshDevices();
}

function refreshDevices() {
  for (const element of document.querySelectorAll('[data-device]')) {
    const device = state[element.dataset.device];
    element.setAttribute('aria-label', `Turn ${device.on ? 'off' : 'on'} ${device.button}`);
    element.setAttribute('data-is-muted', String(!device.on));
  }
  if (state.call) {
    for (const role of ['mic', 'camera'])
      state.call.setOwn(role, state[role].on ? state[role].track : null);
  }
}

async function toggle(role) {
  const device = state[role];
  device.on = !device.on;
  refreshDevices();
  if (device.on)
    await acquire(device);
  send({t: 'mic', state: `${role} ${device.on ? 'on' : 'off'}`});
}

// Before the call these are DIVs, in it they are BUTTONs: both are seen on the real page.
function deviceButton(tag, role) {
  const device = state[role];
  return el(tag, {
    'role': 'button', 'tabindex': '0', 'data-device': role, 'data-is-muted': String(!device.on),
    'aria-label': `Turn ${device.on ? 'off' : 'on'} ${device.button}`,
    'onclick': () => toggle(role),
  }, el('i', {'aria-hidden': 'true'}, role === 'mic' ? 'mic' : 'videocam'));
}

document.addEventListener('keydown', (event) => {
  if (!event.ctrlKey || event.altKey || state.phase === 'over')
    return;
  if (event.key === 'd' || event.key === 'e') {
    event.preventDefault();
    toggle(event.key === 'd' ? 'mic' : 'camera');
  }
});

// --- screens ---

function show(...elements) {
  root.replaceChildren(...elements);
}

// Where a browser might be signed in, the page asks for that first.
function showChoice() {
  show(el('div', {class: 'screen'}, el('h1', {}, 'Join with your Google Account?'),
    el('a', {href: '#', onclick: showPrejoin}, el('span', {}, 'Use without an account'))));
}

function showPrejoin() {
  const join = textButton(settings.lobby === 'none' ? words.join : words.ask, () => {
    state.name = input.value.trim();
    if (state.name)
      send({t: 'knock', name: state.name});
  }, {disabled: ''});
  const input = el('input', {
    'type': 'text', 'aria-label': isOld ? null : 'Your name', 'maxlength': '60', 'autocomplete': 'name',
    'oninput': () => { join.disabled = !input.value.trim(); },
  });
  const hint = el('div', {class: 'hint'}, 'Sign in for more features ',
    textButton(words.gotIt, () => hint.remove()));
  show(el('div', {class: 'prejoin'}, el('h1', {}, "What's your name?"), input, el('div', {},
    deviceButton('div', 'mic'), deviceButton('div', 'camera')), join, hint));
}

// Everything at the bottom. The lobby shows most of it too.
function controls(inLobby) {
  const button = (label, extra) => el('button', {'aria-label': label, ...extra},
    el('i', {'aria-hidden': 'true'}, label.slice(0, 4).toLowerCase()));
  const captions = button('Turn on captions', {
    onclick: () => captions.setAttribute('aria-label',
      captions.getAttribute('aria-label') === 'Turn on captions' ? 'Turn off captions'
                                                                 : 'Turn on captions'),
  });
  const leave = el(isOld ? 'div' : 'button', {'role': 'button', 'jsname': 'CQylAd',
    'aria-label': 'Leave call', 'onclick': leaveCall}, el('i', {'aria-hidden': 'true'}, 'call_end'));
  const bar = el('div', {class: 'bar'},
    el('div', {'role': 'region', 'aria-label': 'Call controls'},
      deviceButton('button', 'mic'), deviceButton('button', 'camera'),
      inLobby ? null : captions, button('Raise hand'), button('Send a reaction'),
      button('Share screen'), button('More options', {jsname: 'NakZHc', onclick: toggleMenu}), leave),
    el('nav', {}, button('Meeting details'), button('Meeting tools'),
      peopleButton(), button(words.chat, {onclick: () => togglePanel('chat')})));
  return bar;
}

// It has been one button and another, and now is a chip that also shows a card.
function peopleButton() {
  const onclick = () => togglePanel('people');
  if (isNew)
    return el('button', {'role': 'button', 'aria-label': 'People', 'data-panel-id': '1', onclick});
  if (isOld)
    return el('button', {'aria-label': 'Show everyone', onclick}, el('i', {}, 'people'));
  return el('div', {'role': 'button', 'tabindex': '0', 'aria-haspopup': 'dialog', onclick},
    el('span', {}, 'People'));
}

// --- the settings, as far as incoming video ---

function prefersAudioOnly() {
  if (settings.forgetful === 'yes')
    return false;
  const preferences = JSON.parse(JSON.parse(localStorage.getItem('meet-preferences') || '"[]"'));
  return Array.isArray(preferences[8]) && preferences[8][5] === 1;
}

function turnVideoOff() {
  state.audioOnly = true;
  send({t: 'incoming_video', state: 'off'});
  const toast = el('div', {'class': 'toast', 'aria-live': 'polite'},
    'Incoming video is set to audio only');
  document.body.append(toast);
  setTimeout(() => toast.remove(), 15000);
}

function toggleMenu() {
  const old = document.querySelector('[role="menu"]');
  if (old) {
    old.remove();
    return;
  }
  const item = (text, onclick) => el('li', {role: 'menuitem', onclick}, el('span', {}, text));
  const menu = el('ul', {role: 'menu', class: 'panel'}, item(words.layout, () => menu.remove()),
    item('Settings', () => {
      menu.remove();
      showSettings();
    }));
  document.body.append(menu);
}

function showSettings() {
  const pane = el('div', {});
  const options = () => pane.replaceChildren(el('ul', {role: 'listbox'},
    ...['Auto', 'High definition', 'Standard definition', 'Audio only'].map((text) =>
      el('li', {'role': 'option', 'aria-label': text,
        'onclick': () => text === 'Audio only' && turnVideoOff()}, text))));
  const dialog = el('div', {'role': 'dialog', 'aria-modal': 'true', 'aria-label': 'Settings'},
    el('button', {'aria-label': 'Audio'}, 'Audio'),
    el('button', {'aria-label': 'Video', 'onclick': options}, 'Video'), pane,
    el('button', {'aria-label': words.close, 'onclick': () => dialog.remove()}, 'x'));
  document.body.append(dialog);
}

function showLobby(message) {
  state.phase = 'lobby';
  const waiting = message.host === 'absent' ? words.hostAbsent : words.waiting;
  show(el('div', {class: 'lobby'}, el('h1', {}, words.asking),
    el('p', {'aria-label': waiting}, waiting),
    el('p', {}, "You'll join the call when someone lets you in")), controls(true));
}

function showCall() {
  state.phase = 'call';
  show(el('main', {id: 'tiles'}), controls(false));
  renderPeople();
  if (state.audioOnly || prefersAudioOnly())
    turnVideoOff();
}

function showOver(title, text) {
  state.phase = 'over';
  state.ended = true;
  hush();
  if (state.call)
    state.call.close();
  state.call = null;
  document.querySelectorAll('[role="dialog"], [role="alert"], .panel').forEach((e) => e.remove());
  show(el('div', {class: 'screen roSPhc'}, el('h1', {jsname: 'r4nke'}, title), el('p', {}, text),
    textButton('Return to home screen', () => {})));
}

function leaveCall() {
  send({t: 'leave'});
  showOver('You left the meeting', 'Rejoin');
}

// --- people ---

function tile(person) {
  let element = document.querySelector(`#tiles [data-participant-id="${person.device}"]`);
  if (!element) {
    element = el('div', {'class': 'tile', 'data-participant-id': person.device},
      el('span', {class: 'initial'}, person.name.slice(0, 1)), el('span', {class: 'name'}),
      el('div', {class: 'speaks'}, el('div', {jsname: 'QgSmzd'})));
    document.getElementById('tiles').append(element);
  }
  if (person.self)
    element.setAttribute('data-self-name', person.name);
  element.querySelector('.name').textContent =
    person.screen ? `${person.name} (Presentation)` : person.name;
  setPicture(element, person.stream ? state.streams.get(person.stream) : null);
}

function setPicture(element, stream) {
  let video = element.querySelector('video');
  if (!stream) {
    if (video)
      video.remove();
    return;
  }
  if (!video) {
    video = el('video', {autoplay: '', playsinline: ''});
    video.muted = true;
    element.append(video);
  }
  if (video.srcObject !== stream)
    video.srcObject = stream;
}

function renderPeople() {
  if (state.phase !== 'call')
    return;
  const present = new Set(state.people.map((p) => p.device));
  document.querySelectorAll('#tiles [data-participant-id]').forEach((e) => {
    if (!present.has(e.dataset.participantId))
      e.remove();
  });
  state.people.forEach(tile);
  renderPanel();
}

// Who speaks, from the contributing sources, as the real page shows it: by an opacity.
function renderSpeakers() {
  if (!state.call || state.phase !== 'call')
    return;
  const now = performance.timeOrigin + performance.now();
  const sources = settings.audio !== 'receiver' ? state.speaking
    : new Set(state.call.pc.getReceivers()
    .filter((r) => r.track.kind === 'audio')
    .flatMap((r) => r.getContributingSources())
    .filter((s) => now - s.timestamp < 400 && (s.audioLevel === undefined || s.audioLevel > 0.01))
    .map((s) => s.source));
  for (const person of state.people) {
    const mark = document.querySelector(`#tiles [data-participant-id="${person.device}"] .speaks`);
    const opacity = sources.has(person.csrc) ? '1' : '0';
    if (mark && mark.style.opacity !== opacity)
      mark.style.opacity = opacity;
  }
}

setInterval(renderSpeakers, 250);

// --- panels ---

function togglePanel(name) {
  state.panel = state.panel === name ? null : name;
  renderPanel();
}

// A row names its device, but for the old page's.
function personRow(person, mark) {
  return el('div', {'role': 'listitem', 'aria-label': person.name,
    'data-participant-id': isOld ? null : person.device}, el('span', {}, person.name),
  person.screen ? el('span', {}, 'Presentation') : null,
  person.companion ? el('span', {}, 'Companion') : null, mark || null);
}

// Two devices of a room, at least, share their sound. What says so has been an attribute and a label
// around their rows, with a row of its own, and a label in each.
function groupRows(room, people) {
  const label = {'aria-label': 'Adaptive audio group'};
  if (settings.wording === 'british')
    return people.map((p) => personRow(p, el('i', label)));
  const head = el('div', {'role': 'listitem', 'aria-label': 'Merged audio'}, 'Merged audio');
  return [el('div', isNew ? {'role': 'group', 'data-cohort-id': `cohort-${room}`} : label, head,
    ...people.map((p) => personRow(p)))];
}

function peopleList() {
  const rooms = Map.groupBy(state.people.filter((p) => p.room), (p) => p.room);
  const merged = [...rooms].filter(([, people]) => people.length > 1);
  const alone = state.people.filter((p) => !merged.some(([, people]) => people.includes(p)));
  return el('div', {'role': 'list', 'aria-label': 'Participants'},
    ...merged.flatMap(([room, people]) => groupRows(room, people)),
    ...alone.map((p) => personRow(p)));
}

function chatPanel() {
  const input = el('textarea', {'aria-label': words.chatInput, 'placeholder': 'Send a message',
    'maxlength': '500', 'onkeydown': (event) => {
      if (event.key === 'Enter' && !event.shiftKey) {
        event.preventDefault();
        submit();
      }
    }});
  const submit = () => {
    const text = input.value.trim();
    if (text)
      send({t: 'chat', text});
    input.value = '';
  };
  return el('div', {}, el('div', {'class': 'messages', 'aria-live': 'polite'},
    ...state.chat.map((c) => el('p', {'data-message-text': c.text}, `${c.from}: ${c.text}`))),
    input, el('button', {'aria-label': isOld ? null : 'Send a message', 'onclick': submit},
      el('i', {}, 'send')));
}

function renderPanel() {
  const old = document.querySelector('.panel');
  if (state.phase !== 'call' || !state.panel) {
    if (old)
      old.remove();
    return;
  }
  if (old && old.dataset.panel === 'chat' && state.panel === 'chat') {
    // Keeps what is being typed.
    const messages = old.querySelector('.messages');
    for (const c of state.chat.slice(messages.children.length))
      messages.append(el('p', {'data-message-text': c.text}, `${c.from}: ${c.text}`));
    return;
  }
  if (old)
    old.remove();
  document.body.append(el('aside', {'class': 'panel', 'data-panel': state.panel},
    state.panel === 'people' ? peopleList() : chatPanel()));
}

// --- dialogs ---

const dialogs = {
  recorded: ['This video call is being recorded',
    'By joining, you consent to being recorded.', 'Join now'],
  transcribed: ['This video call is being transcribed',
    'A transcript will be saved for the host.', 'Join now'],
  gemini: ['Gemini is taking notes', 'Gemini is taking notes of this call.', 'Join now'],
  others_may_see: ['Others may see your video differently',
    'Your background may be changed.', 'Got it'],
  got_it: ['Your meeting is safe', 'No one can join unless invited.', 'Got it'],
  deny_recording: ['Recording was not allowed',
    'A host denied the request to record this meeting.', 'OK'],
};

function showDialog(name) {
  const [title, text, action] = dialogs[name] || ['Something new', `About: ${name}`, 'Continue'];
  const close = (what) => {
    dialog.remove();
    send({t: 'dialog', what: `${name}: ${what}`});
  };
  const dialog = el('div', {'role': 'dialog', 'aria-modal': 'true', 'aria-label': title,
    'data-dialog': name},
  el('h2', {}, title), el('p', {}, text),
  textButton(action, () => close(action), {'data-mdc-dialog-action': 'ok'}));
  document.body.append(dialog);
  send({t: 'dialog', what: `${name}: shown`});
}

// --- sound that the page decodes itself: no receivers, no contributing sources ---

function listen() {
  if (settings.audio !== 'receiver')
    state.sound = new Sound(settings.audio, document.querySelector('#audio-outlet audio'));
}

function hear(packet) {
  if (state.sound)
    state.sound.take(packet);
}

function hush() {
  if (state.sound)
    state.sound.close();
  state.sound = null;
}

// --- what the server says ---

function newCall() {
  if (state.call)
    state.call.close();
  hush();
  listen();
  state.streams.clear();
  let nextAudio = 0;
  const outlets = document.querySelectorAll('#audio-outlet audio');
  state.call = new Call({
    receivers: settings.receivers, send,
    onStream: (stream) => {
      state.streams.set(stream.id, stream);
      renderPeople();
    },
    onAudio: (track, stream) => {
      const outlet = outlets[nextAudio++ % outlets.length];
      outlet.srcObject = stream || new MediaStream([track]);
      outlet.play().catch(() => {});
    },
  });
  refreshDevices();
}

const overTexts = {removed: words.removed, host: words.ended, not_found: words.notFound};

const handlers = {
  welcome: (message) => { state.token = message.token; },
  lobby: showLobby,
  admitted: (message) => {
    newCall();
    showCall();
    namesOf(message.dialogs).forEach(showDialog);
    refreshDevices();
  },
  denied: (message) => showOver(message.why === 'expired'
    ? 'No one responded to your request to join the call' : words.denied, ''),
  speaking: (message) => { state.speaking = new Set(message.csrcs); renderSpeakers(); },
  people: (message) => { state.people = message.people; renderPeople(); },
  chat: (message) => { state.chat.push(message); renderPanel(); },
  dialog: (message) => showDialog(message.name),
  ended: (message) => showOver(...overTexts[message.why]),
  freeze: () => { for (;;); },
  crash,
};

function dial() {
  dialServer(state, handlers, 'You lost your network connection. Trying to reconnect.', hear);
}

// The full list of people, as the real page asks for it.
setInterval(() => {
  if (state.phase === 'call')
    fetch('/$rpc/google.rtc.meetings.v1.MeetingSpaceService/SyncMeetingSpaceCollections',
      {method: 'POST', body: '', headers: {'X-Steno-Token': state.token}}).catch(() => {});
}, 5000);

function start() {
  if (settings.variant === 'not_found')
    showOver(...overTexts.not_found);
  else if (settings.variant === 'blocked')
    showOver(words.blocked, 'Returning to home screen');
  else if (settings.variant === 'captcha')
    showOver("Verify you're a real person", "I'm not a robot");
  else if (settings.variant === 'login_required')
    show(el('div', {class: 'screen'}, el('h1', {}, 'Sign in'),
      el('p', {}, 'Use your Google Account')));
  else if (isOld)
    showChoice();
  else
    showPrejoin();
  dial();
  if (settings.variant === 'normal') {
    acquire(state.mic);
    acquire(state.camera);
  }
}

start();
