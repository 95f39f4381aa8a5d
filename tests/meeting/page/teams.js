// SPDX-License-Identifier: Apache-2.0
// A stand-in for Microsoft Teams' web client: the markers and the wire that a bot finds its way by,
// nothing else of it. The wording and the client vary by the scenario.
'use strict';

const root = document.getElementById('root');
const settings = document.documentElement.dataset;
const isOld = settings.wording === 'old';
const otherTexts = quirks.has('other_texts');
const OWN_CALL = '00000000-0000-4000-8000-0000000000AA'; // GUIDs have no case
const state = {
  phase: 'start', name: '', people: [], streams: new Map(), token: '', call: null, socket: null,
  trouter: null, ended: false, chatOpen: false, chat: [], subscribed: new Map(), captions: false,
  videoOff: false, speaking: new Set(),
  mic: {on: true, track: null, kind: 'audio'},
  camera: {on: true, track: null, kind: 'video'},
};

function send(message) {
  sendWhenOpen(state.socket, message);
}

function show(...elements) {
  document.querySelectorAll('iframe').forEach((frame) => frame.remove());
  root.replaceChildren(...elements);
}

function button(text, onclick, attributes) {
  return el('button', {type: 'button', ...attributes, onclick}, text);
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
    device.on = false;
  }
  refreshDevices();
}

const labels = {
  mic: (on) => on ? 'Mute mic' : 'Unmute mic',
  camera: (on) => on ? 'Turn camera off' : 'Turn camera on',
};

function refreshDevices() {
  for (const role of ['mic', 'camera']) {
    const device = state[role];
    for (const element of everywhere(`[data-device="${role}"]`)) {
      if (element.getAttribute('role') === 'checkbox')
        element.setAttribute('aria-checked', String(device.on));
      else // the old client says it in the title, the new one in the label
        element.setAttribute(isOld ? 'title' : 'aria-label', labels[role](device.on));
    }
    if (state.call)
      state.call.setOwn(role, device.on ? device.track : null);
  }
}

// Elements of the page and of its frame.
function everywhere(selector) {
  const frame = document.querySelector('iframe');
  return [...document.querySelectorAll(selector),
    ...(frame && frame.contentDocument ? frame.contentDocument.querySelectorAll(selector) : [])];
}

async function toggle(role) {
  const device = state[role];
  device.on = !device.on;
  refreshDevices();
  if (device.on)
    await acquire(device);
  send({t: 'mic', state: `${role} ${device.on ? 'on' : 'off'}`});
}

// --- before the call ---

function showLauncher() {
  show(el('div', {class: 'screen'}, el('h1', {}, 'Join your Teams meeting'),
    button('Open your Teams app', () => {}),
    quirks.has('spanish_launcher')
      ? el('a', {href: '/light-meetings/launch?agent=web'}, 'Continuar en este explorador')
      : button(otherTexts ? 'Join on this browser' : 'Continue on this browser', () => {
        location.assign('/v2/?meetingjoin=true');
      }, {'data-tid': otherTexts ? null : 'joinOnWeb'})));
}

// Who does not use audio hears nothing.
function audioChoice() {
  const choice = (label, checked) => el('label', {}, el('input', {'type': 'radio', 'name': 'audio',
    'value': label, 'checked': checked ? '' : null}), label);
  return el('div', {role: 'radiogroup'}, choice('Computer audio', false),
    choice('Don’t use audio', true));
}

function prejoinForm() {
  const full = settings.ui === 'full';
  const input = el('input', {
    'type': 'text', 'placeholder': 'Type your name', 'maxlength': '60',
    'data-tid': isOld ? null : 'prejoin-display-name-input',
    // The field belongs to a script: a value that comes without an event is put back.
    'oninput': () => {
      state.name = input.value;
      if (full)
        join.disabled = !state.name.trim();
    },
  });
  const join = button('Join now', () => {
    if (input.value !== state.name)
      input.value = state.name;
    if (state.name.trim())
      knock(join);
  }, {'data-tid': isOld ? null : 'prejoin-join-button', 'disabled': full ? '' : null});
  const device = (role, tid) => isOld
    ? button(role, () => toggle(role), {'data-device': role, 'title': labels[role](state[role].on)})
    : el('div', {'role': 'checkbox', 'tabindex': '0', 'data-tid': tid, 'data-device': role,
        'aria-checked': String(state[role].on), 'onclick': () => toggle(role)}, role);
  return el('div', {class: 'prejoin'}, el('h1', {}, 'Choose your video and audio options'), input,
    device('camera', 'toggle-video'), device('mic', 'toggle-mute'),
    quirks.has('no_audio') ? audioChoice() : null, join);
}

function showPrejoin() {
  state.phase = 'prejoin';
  if (settings.frame === 'yes') {
    const frame = el('iframe', {width: '800', height: '500'});
    show(frame);
    frame.contentDocument.body.append(prejoinForm());
  } else {
    show(prejoinForm());
  }
  if (settings.noDevices === 'yes')
    showNoDevices();
}

function showNoDevices() {
  const dialog = el('div', {'role': 'dialog', 'aria-modal': 'true'},
    el('h2', {}, 'Are you sure you don’t want audio or video?'),
    button('Continue without audio or video', () => {
      dialog.remove();
      send({t: 'dialog', what: 'no_devices: Continue without audio or video'});
    }));
  document.body.append(dialog);
}

// Any id gets a pre-join page; what is wrong shows after the knock.
function knock(join) {
  if (document.querySelector('[role="dialog"]'))
    return; // it lies over the button
  if (settings.variant !== 'normal') {
    setTimeout(() => walls[settings.variant](), 300);
    return;
  }
  state.phase = 'knocked';
  join.disabled = true;
  everywhere('input[name="audio"]:checked').forEach((input) =>
    send({t: 'dialog', what: `audio: ${input.value}`}));
  send({t: 'knock', name: state.name.trim()});
}

function retryScreen(title, text) {
  state.phase = 'over';
  state.ended = true;
  closeCall();
  document.querySelectorAll('[role="dialog"], [role="alert"], .panel').forEach((e) => e.remove());
  show(el('div', {'class': 'screen', 'data-tid': 'calling-retry-screen'},
    el('h1', {id: 'calling-retry-screen-title'}, title), el('p', {}, text || ''),
    button('Rejoin', () => {}, {disabled: ''}),
    button('Cancel', () => {}, {'data-tid': 'calling-retry-cancelbutton'})));
}

// Over the pre-join page, whose button stays.
function showCaptcha() {
  document.body.append(el('div', {'role': 'dialog', 'aria-modal': 'true',
    'aria-describedby': 'captcha-dialog-instructions'},
  el('p', {id: 'captcha-dialog-instructions'}, 'Enter the characters'),
  el('input', {'type': 'text', 'data-tid': 'HIP-Captcha-Input'}),
  button('Submit', () => {}, {'data-tid': 'HIP-Captcha-Submit'})));
}

// Another build's last page.
function lastScreen(title, tid) {
  retryScreen('');
  show(el('div', {'class': 'screen', 'data-tid': tid || null},
    el('h1', {'data-tid': 'rejoin-title'}, title), button('Rejoin', () => {}, {disabled: ''})));
}

const walls = {
  not_found: () => retryScreen(isOld
    ? 'Looks like the meeting URL is incorrect. Please check the URL and try again.'
    : 'We couldn’t find a meeting matching this ID and passcode.'),
  login_required: () => retryScreen(otherTexts
    ? 'Only people with a work or school account can join this meeting.' : settings.wording === 'british'
    ? 'Sign in to Teams to join, or contact the meeting organiser.'
    : 'We need to verify your info before you can join'),
  captcha: () => quirks.has('captcha_dialog') ? showCaptcha() : retryScreen('Verify you’re a real person', 'Type the characters that you see'),
  blocked: () => retryScreen('Sorry, we couldn’t connect you'),
};

const otherWaitingTexts = {new: 'Waiting for someone to let you in',
  old: 'Please wait until someone admits you', british: 'Your request to join has been sent'};

const waitingTexts = {
  present: {new: 'Someone will let you in shortly', old: 'Someone in the meeting should let you in soon',
    british: 'We’ve let people in the meeting know you’re waiting'},
  absent: {new: 'When the meeting starts, we’ll let people know you’re waiting',
    old: 'Waiting for the organizer to start the meeting',
    british: 'Waiting for the organiser to start the meeting'},
};

function showLobby(message) {
  state.phase = 'lobby';
  closeCall(); // the host may have put the bot back
  const says = settings.lobbyShows === 'text' || message.host === 'absent';
  show(el('div', {class: 'lobby'},
    el('p', {}, !says ? 'Microsoft Teams' : otherTexts ? otherWaitingTexts[settings.wording]
      : waitingTexts[message.host][settings.wording]),
    settings.lobbyShows === 'nothing' || otherTexts ? null
      : button('Cancel', leaveCall, {'data-tid': 'prejoin-cancel-button'})));
}

// --- the call ---

function control(label, attributes, onclick) {
  return button(label, onclick || (() => {}), isOld
    ? {...attributes, 'title': label} : {...attributes, 'aria-label': label});
}

// A meeting without reactions, chat and so on, in a build whose marks are others.
function fewControls() {
  return el('div', {'class': 'bar', 'data-tid': 'ubar-toolbar-wrapper'},
    el('span', {'data-tid': 'call-duration'}, '00:01'),
    control('View', {'data-tid': 'view-mode-button'}),
    button('', () => toggle('camera'), {'data-device': 'camera'}),
    button('', () => toggle('mic'), {'data-device': 'mic'}),
    control('Leave', {'data-tid': 'call-hangup'}, leaveCall));
}

function callControls() {
  if (quirks.has('few_controls'))
    return fewControls();
  return el('div', {'class': 'bar', 'data-tid': 'app-layout-area--header'},
    control('Chat', {'id': isOld ? null : 'chat-button', 'data-tid': 'chat-button'},
      () => toggleChat()),
    control('People', {'id': isOld ? null : 'roster-button', 'data-tid': 'roster-button'}),
    control('Raise', {id: 'raisehands-button'}),
    control('React', {id: isOld ? null : 'reaction-menu-button'}),
    control('View', {id: 'view-mode-button'}),
    control('More', {id: 'callingButtons-showMoreBtn'}, toggleMenu),
    button('', () => toggle('camera'), {'data-device': 'camera', 'id': 'video-button'}),
    button('', () => toggle('mic'), {'data-device': 'mic', 'id': 'microphone-button'}),
    control('Share', {id: isOld ? 'screenshare-button' : 'share-button'}),
    control('Leave', isOld ? {id: 'hangup-main-btn'}
      : {'id': 'hangup-button', 'data-inp': 'hangup-button'}, leaveCall));
}

function showCall() {
  state.phase = 'call';
  show(el('main', {'id': 'tiles', 'data-tid': 'app-layout-area--main'}), callControls());
  refreshDevices();
  renderPeople();
}

function closeCall() {
  if (state.call)
    state.call.close();
  state.call = null;
}

function leaveCall() {
  send({t: 'leave'});
  retryScreen('You left the meeting');
}

// Menus lie in menus: what is wanted shows only when the one above is open.
function toggleMenu() {
  const old = document.querySelector('[role="menu"]');
  if (old) {
    old.remove();
    return;
  }
  const item = (id, label, onclick) => el('div', {id, 'role': 'menuitem', 'aria-label': label,
    onclick}, label);
  const captions = item('closed-captions-button', 'Turn on live captions', () => {
    send({t: 'captions'});
    menu.remove();
  });
  const videoOff = item('incoming-video-button', 'Turn off incoming video', () => {
    state.videoOff = true;
    subscribe();
    menu.remove();
  });
  const menu = el('div', {role: 'menu', class: 'panel'},
    item('LanguageSpeechMenuControl-id', 'Language and speech', () => menu.append(captions)),
    item('ViewModeMoreOptionsMenuControl-id', 'View options', () => menu.append(videoOff)));
  document.body.append(menu);
}

// What a tile is called in the build that puts labels behind names; the bot's own has another name.
function tileLabel(person) {
  return (person.self ? `Myself video, ${person.name} of Acme` : `${person.name} (External)`)
    + `${person.stream ? ', video is on' : ''}${person.muted ? ', Muted' : ''}, Has context menu`;
}

const labelled = quirks.has('labels');

function tile(person) {
  let element = document.querySelector(`[data-person="${person.device}"]`);
  if (!element) {
    element = el('div', {'class': 'tile', 'data-person': person.device,
      'role': labelled ? 'menuitem' : null,
      'data-tid': isOld || labelled ? null : person.name,
      'data-cid': isOld ? 'calling-participant-stream' : null,
      'data-stream-type': isOld || labelled ? null : 'Video'},
    el('div', {'class': 'ring',
      'data-tid': isOld ? 'participant-speaker-ring' : 'voice-level-stream-outline'}),
    el('span', {class: 'initial'}, person.name.slice(0, 1)),
    el('span', {class: 'name'}, person.self ? `${person.name} (Guest)` : person.name));
    document.getElementById('tiles').append(element);
  }
  if (isOld)
    element.setAttribute('aria-label', `${person.name}${person.stream ? ', video is on' : ''}`
      + `${person.muted ? ', muted' : ''}, Context menu is available`);
  const ring = element.querySelector('.ring');
  const speaks = state.speaking.has(person.csrc);
  if (labelled)
    element.setAttribute('aria-label', tileLabel(person));
  if (labelled)
    ring.setAttribute('data-is-speaking', String(speaks));
  ring.style.opacity = isOld && !speaks ? '0' : '1';
  ring.classList.toggle('vdi-frame-occlusion', !isOld && !labelled && speaks);
  const stream = person.stream && !state.videoOff ? state.streams.get(person.stream) : null;
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
  document.querySelectorAll('[data-person]').forEach((e) => {
    if (!present.has(e.dataset.person))
      e.remove();
  });
  state.people.forEach(tile);
  subscribe();
}

// Asks for the pictures that show: "sr" on main-channel, -1 for what is no longer wanted.
function subscribe() {
  const main = state.call && state.call.main;
  if (!main || main.readyState !== 'open')
    return;
  const wanted = new Map(state.videoOff ? [] : state.people
    .filter((p) => p.stream_number).map((p) => [p.stream_number, p.video_source]));
  const changes = [...wanted].filter(([n, source]) => state.subscribed.get(n) !== source)
    .concat([...state.subscribed.keys()].filter((n) => !wanted.has(n)).map((n) => [n, -1]));
  state.subscribed = wanted;
  for (const [streamMsid, sourceId] of changes) {
    const json = JSON.stringify([{type: 'sr',
      controlVideoStreaming: {controlInfo: {sourceId, streamMsid}}}]);
    const text = new TextEncoder().encode(json);
    const message = new Uint8Array(4 + text.length);
    message.set(text, 4);
    main.send(message);
  }
}

// --- chat ---

function messageElement(c) {
  return el('div', {'data-tid': 'chat-pane-item'},
    el('span', {'data-tid': 'message-author-name'}, labelled ? `${c.from} (External)` : c.from),
    el('div', {'data-tid': 'chat-pane-message', 'data-mid': c.id},
      el('div', {id: `content-${c.id}`}, el('p', {}, c.text))));
}

function toggleChat() {
  state.chatOpen = !state.chatOpen;
  renderChat();
}

function chatPane() {
  const input = isOld ? el('textarea', {placeholder: 'Type a message'})
    : el('div', {'contenteditable': 'true', 'role': 'textbox', 'data-tid': 'ckeditor',
        'aria-label': 'Type a message'});
  const submit = () => {
    const text = chatContent(input).trim();
    if (text)
      send({t: 'chat', text});
    emptyChat(input);
  };
  refuseAtFirst(input);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  });
  return el('aside', {class: 'panel', id: 'chat-pane'},
    el('div', {'data-tid': 'chat-pane-list', 'class': 'messages'}, ...state.chat.map(messageElement)),
    input, isOld ? null : button('Send', submit,
      {'data-tid': 'newMessageCommands-send', 'aria-label': 'Send (Ctrl+Enter)'}));
}

function renderChat() {
  const old = document.getElementById('chat-pane');
  if (state.phase !== 'call' || !state.chatOpen) {
    if (old)
      old.remove();
  } else if (old) { // keeps what is being typed
    const list = old.querySelector('[data-tid="chat-pane-list"]');
    list.append(...state.chat.slice(list.children.length).map(messageElement));
  } else {
    showChat(() => state.chatOpen && !document.getElementById('chat-pane') &&
      document.body.append(chatPane()));
  }
}

// --- dialogs ---

const dialogs = {
  recorded: ['Recording has started', 'This meeting is being recorded.', 'OK'],
  transcribed: ['Transcription has started', 'Let everyone know.', 'Got it'],
  deny_recording: ['Recording', 'Recording is not allowed by the organizer.', 'OK'],
};

function showDialog(name) {
  const [title, text, action] = dialogs[name] || ['Something new', `About: ${name}`, 'Dismiss'];
  const close = (what) => {
    dialog.remove();
    send({t: 'dialog', what: `${name}: ${what}`});
  };
  const dialog = el('div', {'role': 'dialog', 'aria-modal': 'true', 'data-dialog': name},
    el('h2', {}, title), el('p', {}, text), button(action, () => close(action)));
  document.body.append(dialog);
  send({t: 'dialog', what: `${name}: shown`});
}

// --- what the server says ---

function newCall() {
  closeCall();
  state.streams.clear();
  state.subscribed.clear();
  state.call = new Call({
    receivers: settings.receivers, send, channel: 'main-channel', onMain: subscribe,
    onStream: (stream) => {
      state.streams.set(stream.id, stream);
      renderPeople();
    },
    onAudio: (track, stream) => {
      const outlet = document.getElementById('main-audio');
      outlet.srcObject = stream || new MediaStream([track]);
      outlet.play().catch(() => {});
    },
  });
}

// Late joiners get only deltas on the socket: who is there already comes by HTTP.
function fetchRoster() {
  if (!settings.snapshot)
    return;
  if (isOld) {
    const request = new XMLHttpRequest();
    request.open('POST', settings.snapshot);
    request.setRequestHeader('X-Steno-Token', state.token);
    request.send('{}');
  } else {
    fetch(settings.snapshot, {method: 'POST', body: '{}', headers: {'X-Steno-Token': state.token}})
      .catch(() => {});
  }
}

const overTexts = {
  removed: () => otherTexts ? lastScreen('You have been removed from this meeting') : retryScreen(isOld ? 'Removed from the meeting'
    : 'You’ve been removed from this meeting'),
  host: () => otherTexts ? lastScreen('Meeting ended') : retryScreen('The meeting has ended'),
  not_found: () => walls.not_found(),
};

const handlers = {
  welcome: (message) => {
    state.token = message.token;
    dialTrouter();
  },
  lobby: showLobby,
  admitted: (message) => {
    // What the client's own call object gives away about us.
    window.callingDebug = {observableCall: {callerMri: message.device, _callId: OWN_CALL}};
    newCall();
    showCall();
    namesOf(message.dialogs).forEach(showDialog);
    fetchRoster();
  },
  denied: () => otherTexts
    ? lastScreen('You weren’t admitted to the meeting', 'calling-declined-screen') : retryScreen(isOld ? 'Your request to join was declined.'
    : 'Sorry, but you were denied access to the meeting.'),
  people: (message) => { state.people = message.people; renderPeople(); },
  speaking: (message) => { state.speaking = new Set(message.csrcs); renderPeople(); },
  chat: (message) => { state.chat.push(message); renderChat(); },
  dialog: (message) => showDialog(message.name),
  ended: (message) => overTexts[message.why](),
  freeze: () => { for (;;); },
  crash,
};

function dialTrouter() {
  if (state.trouter)
    state.trouter.close();
  state.trouter = new WebSocket(`wss://${location.host}/v4/trouter?token=${state.token}`);
}

function dial() {
  dialServer(state, handlers, 'You’re offline. Trying to reconnect.');
}

function start() {
  switch (settings.variant) {
  case 'probe': // is somebody signed in?
    setTimeout(() => location.replace(
      'https://login.microsoftonline.com/common/oauth2/authorize?prompt=none'), 200);
    return;
  case 'launcher':
    showLauncher();
    return;
  case 'sign_in':
    show(el('div', {class: 'screen'}, el('h1', {}, 'Sign in'),
      el('input', {type: 'email', name: 'loginfmt', placeholder: 'Email or phone'})));
    return;
  default:
    showPrejoin();
    dial();
    acquire(state.mic);
    acquire(state.camera);
  }
}

start();
