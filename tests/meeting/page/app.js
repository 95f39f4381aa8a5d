// SPDX-License-Identifier: Apache-2.0
// A stand-in for Google Meet's page: the markers that a bot finds its way by, nothing else of it.
'use strict';

const root = document.getElementById('root');
const settings = document.documentElement.dataset;
const isOld = settings.wording === 'old';
const isBritish = settings.wording === 'british';
const isCurrent = !isOld && !isBritish; // the anatomy of the call page of 2026

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
  german: {
    ask: 'Teilnahme erbitten', join: 'Jetzt teilnehmen', asking: 'Anfrage läuft...',
    waiting: 'Bitte warten', hostAbsent: 'Bitte warten', blocked: 'Teilnahme nicht möglich',
    denied: 'Anfrage abgelehnt', notFound: ['Kein Termin', ''], removed: ['Entfernt', ''],
    ended: ['Beendet', ''], chat: 'Chat mit allen', chatInput: 'Nachricht senden',
    close: 'Schließen', layout: 'Ansicht anpassen', gotIt: 'Verstanden',
  },
}[settings.wording];

// What an account of another language has on its buttons, where the rules go by what has no language.
const labels = settings.wording !== 'german' ? {} : {
  'Turn on microphone': 'Mikrofon aktivieren', 'Turn off microphone': 'Mikrofon deaktivieren',
  'Turn on camera': 'Kamera aktivieren', 'Turn off camera': 'Kamera deaktivieren',
  'Turn on captions': 'Untertitel an', 'Turn off captions': 'Untertitel aus',
  'Leave call': 'Anruf verlassen', 'Raise hand': 'Hand heben', 'Send a reaction': 'Reagieren',
  'Share screen': 'Bildschirm teilen', 'More options': 'Mehr', 'Meeting details': 'Details',
  'Meeting tools': 'Werkzeuge', 'People': 'Personen', 'Call controls': 'Anrufsteuerung',
  'Your name': 'Dein Name', 'Participants': 'Teilnehmer', 'Side panel': 'Seitenleiste',
  'Send a message': 'Nachricht senden', "What's your name?": 'Wie heißt du?',
  "You'll join the call when someone lets you in": 'Gleich geht es los',
  'Return to home screen': 'Zurück', 'Sign in for more features ': 'Anmelden ',
};

function say(text) {
  return labels[text] || text;
}

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
    element.setAttribute('aria-label', say(`Turn ${device.on ? 'off' : 'on'} ${device.button}`));
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
    'jsname': role === 'mic' ? 'hw0c9' : 'psRWwc',
    'aria-label': say(`Turn ${device.on ? 'off' : 'on'} ${device.button}`),
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
    'type': 'text', 'aria-label': isOld ? null : say('Your name'), 'maxlength': '60', 'autocomplete': 'name',
    'oninput': () => { join.disabled = !input.value.trim(); },
  });
  const hint = el('div', {class: 'hint'}, say('Sign in for more features '),
    textButton(words.gotIt, () => hint.remove()));
  show(el('div', {class: 'prejoin'}, el('h1', {}, say("What's your name?")), input, el('div', {},
    deviceButton('div', 'mic'), deviceButton('div', 'camera')), join, hint));
}

// What of the call's controls says which it is, beside its label.
const marks = {
  'Raise hand': {jsname: 'FpSaz'}, 'Send a reaction': {jsname: 'G0pghc'},
  'Share screen': {jsname: 'hNGZQc'}, 'More options': {jsname: 'NakZHc'},
  'Turn on captions': {jsname: 'RrG0hf'}, 'Meeting details': {'data-panel-id': '5'},
  'Meeting tools': {'data-panel-id': '10'},
};

const icons = {
  'Raise hand': 'back_hand', 'Send a reaction': 'mood', 'Share screen': 'computer_arrow_up',
  'More options': 'more_vert', 'Meeting details': 'info', 'Meeting tools': 'apps',
};

function control(label, extra) {
  return el('button', {'aria-label': say(label), 'role': 'button', ...marks[label], ...extra},
    el('i', {'aria-hidden': 'true'}, icons[label] || 'circle'));
}

// The button has the number of the panel that it opens, in an element that is the panel.
function chatButton() {
  return el('button', {'aria-label': words.chat, 'role': 'button', 'jsname': 'A5il2e',
    'aria-expanded': 'false', 'data-panel-id': isCurrent ? '2' : null,
    'onclick': () => togglePanel('chat')}, el('i', {'aria-hidden': 'true'}, 'chat'));
}

function captionsButton() {
  const button = control('Turn on captions', {
    onclick: () => button.setAttribute('aria-label',
      button.getAttribute('aria-label') === say('Turn on captions') ? say('Turn off captions')
                                                                    : say('Turn on captions')),
  });
  return button;
}

function leaveButton() {
  return el(isOld ? 'div' : 'button', {'role': 'button', 'jsname': 'CQylAd',
    'aria-label': say('Leave call'), 'onclick': leaveCall},
  el('i', {'aria-hidden': 'true'}, 'call_end'));
}

// Everything at the bottom. The lobby shows some of it: the older pages' most.
function controls(inLobby) {
  const few = inLobby && isCurrent;
  const rest = () => [control('Raise hand'), control('Send a reaction'), control('Share screen'),
    control('More options', {onclick: toggleMenu})];
  const tools = () => [control('Meeting details'), control('Meeting tools'), peopleButton()];
  return el('div', {class: 'bar'},
    el('div', {'role': 'region', 'aria-label': say('Call controls'), 'jsname': 'vNB5le'},
      deviceButton('button', 'mic'), deviceButton('button', 'camera'),
      inLobby ? null : captionsButton(), ...(few ? [] : rest()), leaveButton()),
    el('nav', {}, ...(few ? [] : tools()), chatButton()));
}

// A chip: its name stands in an element that does not show, beside the number of people.
function peopleChip(name, shown, onclick) {
  const id = `chip-${name.toLowerCase().replaceAll(' ', '-')}`;
  return el('div', {'role': 'button', 'jsname': 'ocqpFe', 'tabindex': '0', 'aria-haspopup': 'dialog',
    'aria-expanded': 'false', 'aria-labelledby': id, onclick},
  el('span', {id, style: 'display: none'}, name), el('span', {}, shown));
}

// It has been one button and another, and now is a chip, behind another one.
function peopleButton() {
  const onclick = () => togglePanel('people');
  if (isOld)
    return el('button', {'aria-label': 'Show everyone', onclick}, el('i', {}, 'people'));
  if (isBritish)
    return el('div', {'role': 'button', 'tabindex': '0', 'aria-haspopup': 'dialog', onclick},
      el('span', {}, 'People'));
  const chip = peopleChip(say('People'), '2', onclick);
  chip.append(el('span', {'data-avatar-count': '2'}));
  return el('span', {}, peopleChip('External participants joined', '!', () => {}), chip);
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
  closeCall(); // the host may have put the bot back
  const waiting = message.host === 'absent' ? words.hostAbsent : words.waiting;
  show(el('div', {class: 'lobby'}, el('h1', {}, words.asking),
    el('p', {'aria-label': waiting}, waiting),
    el('p', {}, say("You'll join the call when someone lets you in"))),
  isCurrent ? el('div', {'class': 'tile', 'data-participant-id': 'self'}) : '', controls(true));
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
  closeCall();
  document.querySelectorAll('[role="dialog"], [role="alert"], .panel').forEach((e) => e.remove());
  show(el('div', {class: 'screen roSPhc'}, el('h1', {jsname: 'r4nke'}, title), el('p', {}, text),
    textButton(say('Return to home screen'), () => {})));
}

function leaveCall() {
  send({t: 'leave'});
  showOver('You left the meeting', 'Rejoin');
}

// --- people ---

function tile(person) {
  let element = document.querySelector(`#tiles [data-participant-id="${person.device}"]`);
  if (!element) {
    element = el('div', {'class': 'tile', 'data-participant-id': person.device,
      'data-self': person.self ? '' : null, 'data-tile-media-id': isCurrent ? person.device : null},
    el('div', {class: 'avatar'}, el('div', {class: 'speaks gjg47c', jsname: 'QgSmzd'})),
    el('span', {class: 'initial'}, person.name.slice(0, 1)), el('span', {class: 'name'}),
    el('div', {class: 'speaks gjg47c', jsname: 'QgSmzd'}));
    document.getElementById('tiles').append(element);
  }
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

// Who speaks, from the contributing sources, as the real page shows it: a class means silence.
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
    document.querySelectorAll(`#tiles [data-participant-id="${person.device}"] .speaks`)
      .forEach((mark) => mark.classList.toggle('gjg47c', !sources.has(person.csrc)));
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
  return [el('div', isCurrent ? {'role': 'group', 'data-cohort-id': `cohort-${room}`} : label, head,
    ...people.map((p) => personRow(p)))];
}

function peopleList() {
  const rooms = Map.groupBy(state.people.filter((p) => p.room), (p) => p.room);
  const merged = [...rooms].filter(([, people]) => people.length > 1);
  const alone = state.people.filter((p) => !merged.some(([, people]) => people.includes(p)));
  return el('div', {'role': 'list', 'aria-label': say('Participants')},
    ...merged.flatMap(([room, people]) => groupRows(room, people)),
    ...alone.map((p) => personRow(p)));
}

const MAX_CHAT = 500;

// A text area, or an editor made of elements.
function chatInput(submit) {
  const onkeydown = (event) => {
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  };
  const input = settings.chat === 'editor'
    ? el('div', {'role': 'textbox', 'contenteditable': 'true', onkeydown})
    : el('textarea', {'aria-label': words.chatInput, 'placeholder': say('Send a message'),
      'maxlength': String(MAX_CHAT), onkeydown});
  refuseAtFirst(input);
  return input;
}

function messageElement(c) {
  return el('p', {'data-message-text': c.text}, `${c.from}: ${c.text}`);
}

function chatPanel() {
  const submit = () => {
    const text = chatContent(input).trim();
    if (text && text.length <= MAX_CHAT) {
      send({t: 'chat', text});
      emptyChat(input);
    }
  };
  const input = chatInput(submit);
  return el('div', {'data-panel-id': isCurrent ? '2' : null},
    el('div', {'class': 'messages', 'aria-live': 'polite'}, ...state.chat.map(messageElement)),
    el('div', {'aria-label': settings.chat === 'editor' ? words.chatInput : null}, input),
    el('button', {'aria-label': isOld ? null : say('Send a message'), 'onclick': submit},
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
    messages.append(...state.chat.slice(messages.children.length).map(messageElement));
    return;
  }
  if (old)
    old.remove();
  if (state.panel === 'chat')
    showChat(() => state.panel === 'chat' && !document.querySelector('.panel') && addPanel());
  else
    addPanel();
}

function addPanel() {
  document.body.append(el('aside', {'class': 'panel', 'data-panel': state.panel,
    'aria-label': say('Side panel')}, state.panel === 'people' ? peopleList() : chatPanel()));
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

function closeCall() {
  if (state.call)
    state.call.close();
  state.call = null;
  hush();
}

function newCall() {
  closeCall();
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
  else if (settings.variant === 'full')
    showOver('This meeting is full', 'It has reached the maximum of 100 participants');
  else if (settings.variant === 'cannot_create')
    showOver("You can't create a meeting yourself", 'Contact the organizer');
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
