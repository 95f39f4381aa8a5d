// SPDX-License-Identifier: Apache-2.0
// A stand-in for Zoom's web client: the markers and the media that a bot finds its way by, nothing else
// of it. The wording and the client vary by the scenario.
'use strict';

const root = document.getElementById('root');
const settings = document.documentElement.dataset;
const isOld = settings.wording === 'old';
const isLive = quirks.has('live_call');
const otherTexts = quirks.has('other_texts');
const state = {
  phase: 'start', name: '', passcode: '', people: [], token: '', call: null, socket: null,
  sound: null, ended: false, heard: false, chatOpen: false, listOpen: false, chat: [],
  videoOff: false, active: 0, early: [], nAudio: 0, speakerView: false,
  mic: {on: true, track: null, kind: 'audio'},
  camera: {on: true, track: null, kind: 'video'},
};

// What is said before the first connection stands goes out with it; what is said while the network is
// away is lost.
function send(message) {
  if (state.token === '')
    state.early.push(message);
  else
    sendWhenOpen(state.socket, message);
}

function button(text, onclick, attributes) {
  return el('button', {type: 'button', ...attributes, onclick}, text);
}

function modal(title, text, ...buttons) {
  return el('div', {'class': 'zm-modal zm-modal-legacy', 'role': 'dialog', 'aria-modal': 'true'},
    el('h2', {class: 'zm-modal-body-title'}, title), el('p', {}, text), ...buttons);
}

// --- microphone and camera ---

async function acquire(device) {
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
  preview: {mic: (on) => on ? 'Mute' : 'Unmute', camera: (on) => on ? 'Stop Video' : 'Start Video'},
  call: {mic: (on) => on ? 'mute my microphone' : 'unmute my microphone',
    camera: (on) => on ? 'stop my video' : 'start my video'},
};

function refreshDevices() {
  const words = labels[state.phase === 'call' ? 'call' : 'preview'];
  for (const role of ['mic', 'camera']) {
    const device = state[role];
    for (const element of document.querySelectorAll(`[data-device="${role}"]`))
      element.setAttribute('aria-label', hasPlainMic(role) ? 'Audio' : words[role](device.on));
    if (state.call)
      state.call.setOwn(role, device.on ? device.track : null);
  }
}

// One build's audio button says the same, joined or not, muted or not.
function hasPlainMic(role) {
  return role === 'mic' && state.phase === 'call' && (isLive || quirks.has('no_sound'));
}

async function toggle(role) {
  const device = state[role];
  device.on = !device.on;
  if (device.on && device.track === null)
    await acquire(device);
  refreshDevices();
  renderList();
  send({t: 'mic', state: `${role} ${device.on ? 'on' : 'off'}`});
}

// --- before the call ---

function showLauncher() {
  const link = el('a', {
    href: `/wc/${settings.variant.slice('launcher-'.length)}/join${location.search}`,
  }, otherTexts ? 'Join from browser' : 'Join from your browser');
  link.hidden = otherTexts; // until the app was tried
  root.replaceChildren(el('div', {class: 'screen'},
    button('Launch Meeting', () => { link.hidden = false; }),
    el('p', {}, 'Having issues with Zoom Workplace app?'), link));
}

// The whole client in a frame of the page, as on app.zoom.us at times.
function showShell() {
  root.replaceChildren(el('iframe', {id: 'webclient', class: 'pwa-webclient__iframe',
    width: '1240', height: '780', src: location.pathname.replace('/join', '/start')
      + location.search}));
}

// A field that takes what is typed, and nothing that a script puts there.
function typedField(attributes, onchange) {
  let typed = false;
  const input = el('input', {...attributes,
    onkeydown: (event) => { typed = typed || event.isTrusted; },
    oninput: (event) => {
      if (typed && event.isTrusted)
        onchange(input.value);
    }});
  return input;
}

function showPreview() {
  state.phase = 'prejoin';
  const join = button('Join', () => {
    if (inTheWay())
      return;
    if (settings.passcode !== 'none' && !state.passcode)
      passcode.hidden = false;
    else if (settings.passcode !== 'none')
      send({t: 'passcode', text: state.passcode});
    else
      knock();
  }, {class: 'preview-join-button', id: isOld ? 'joinBtn' : null, disabled: ''});
  const name = typedField({'type': 'text', 'id': isOld ? 'inputname' : 'input-for-name',
    'placeholder': 'Your Name'}, (value) => {
    state.name = value;
    join.disabled = !value.trim();
  });
  const passcode = typedField({'type': 'password', 'id': 'input-for-pwd',
    'placeholder': 'Meeting Passcode', 'hidden': '',
    'maxlength': quirks.has('short_passcode') ? '10' : null}, (value) => { state.passcode = value; });
  root.replaceChildren(el('div', {class: 'prejoin preview-meeting-info'},
    el('h1', {}, 'Enter Meeting Info'), name, passcode,
    el('p', {class: 'preview-error', hidden: ''},
      otherTexts ? 'Incorrect password' : 'Passcode wrong. Please try again.'),
    button('', () => toggle('mic'), {'id': 'preview-audio-control-button', 'data-device': 'mic'}),
    button('', () => toggle('camera'),
      {'id': 'preview-video-control-button', 'data-device': 'camera'}), join));
  refreshDevices();
  showBanner();
  if (quirks.has('device_prompt'))
    showDevicePrompt('hear');
  else
    showMediaPrompt();
  if (isOld || otherTexts)
    showDisclaimer();
  if (quirks.has('captcha_anchor'))
    root.append(...quietCaptcha());
}

function inTheWay() {
  return document.querySelector(
    '[role="dialog"], #onetrust-banner-sdk, .pepc-permission-dialog') !== null;
}

// What is there of a captcha that asks nothing: a badge, and the frame of a riddle that does not show.
function quietCaptcha() {
  return [el('iframe', {src: '/recaptcha/enterprise/anchor?k=x&size=invisible', width: '256',
    height: '60'}),
  el('div', {style: 'visibility: hidden; position: absolute; top: -10000px'},
    el('iframe', {src: '/recaptcha/enterprise/bframe?k=x', width: '400', height: '580'}))];
}

function loudCaptcha() {
  return el('iframe', {src: '/recaptcha/enterprise/anchor?k=x&size=normal', width: '304',
    height: '78', title: 'reCAPTCHA'});
}

// Two in turn. What allows is an element of the browser's own, which no script may press.
function showDevicePrompt(what) {
  const prompt = el('div', {class: 'ReactModal__Content'},
    el('div', {class: 'pepc-permission-dialog'},
      el('h2', {}, `Do you want people to ${what} you in the meeting?`),
      el('span', {'role': 'button', 'tabindex': '0',
        'class': 'pepc-permission-dialog__footer-button', 'onclick': () => {
          prompt.remove();
          send({t: 'dialog', what: `${what}: Continue without`});
          if (what === 'hear')
            showDevicePrompt('see');
        }}, 'Continue without microphone and camera')));
  document.body.append(prompt);
}

function showBanner() {
  const answer = (what) => () => {
    banner.remove();
    send({t: 'dialog', what: `cookies: ${what}`});
  };
  const banner = el('div', {id: 'onetrust-banner-sdk', class: 'toast'}, 'We use cookies',
    button('Accept Cookies', answer('accepted'),
      {id: otherTexts ? null : 'onetrust-accept-btn-handler'}),
    otherTexts ? null : button('Decline Cookies', answer('declined'),
      {id: 'onetrust-reject-all-handler'}));
  document.body.append(banner);
}

// Twice, for microphone and camera. Only who has allowed it hears anything.
function showMediaPrompt() {
  let n = 0;
  const allow = () => {
    if (settings.noDevices === 'yes')
      return; // the browser says no: nothing changes
    n++;
    if (n < 2)
      return;
    prompt.remove();
    state.heard = true;
    acquire(state.mic);
    acquire(state.camera);
  };
  const prompt = modal('Do you want people to see you in the meeting?',
    'You can still turn off your microphone and camera anytime in the meeting.',
    button('Allow', allow),
    button('Continue without microphone and camera', () => {
      prompt.remove();
      send({t: 'dialog', what: 'no_devices: Continue'});
    }));
  document.body.append(prompt);
}

function showDisclaimer() {
  const box = modal('Disclaimer', 'By joining you agree to the terms of the account owner.',
    button(otherTexts ? 'I Agree' : 'Agree', () => {
      box.remove();
      send({t: 'dialog', what: 'disclaimer: Agree'});
    }, {id: otherTexts ? 'wc_agree1' : 'disclaimer_agree'}));
  document.body.append(box);
}

function knock() {
  if (settings.variant !== 'normal') {
    setTimeout(() => walls[settings.variant](), 300);
    return;
  }
  state.phase = 'knocked';
  root.replaceChildren(el('div', {class: 'screen'}, 'Joining Meeting...'));
  send({t: 'knock', name: state.name.trim()});
}

function screen(title, ...more) {
  state.phase = 'over';
  state.ended = true;
  closeCall();
  document.querySelectorAll('[role="dialog"], [role="alert"], .panel').forEach((e) => e.remove());
  root.replaceChildren(el('div', {class: 'screen'}, el('h1', {}, title), ...more));
}

const walls = {
  not_found: () => screen(isOld ? 'Invalid meeting ID. Please check and try again.'
    : 'This meeting link is invalid (3,001)'),
  login_required: () => screen(otherTexts ? 'Authentication is required to join' : {
    new: 'Sign in to join this meeting', old: 'Only authenticated users can join',
    british: 'The host requires authentication on the commercial Zoom platform to join this meeting',
  }[settings.wording], otherTexts ? null
    : button('Sign in Zoom', () => {}, {class: 'login-btn-zoom'})),
  captcha: () => screen('Join Meeting', ...(quirks.has('captcha_anchor')
    ? [...quietCaptcha(), loudCaptcha()] : [button('Please check captcha', () => {})])),
  blocked: () => quirks.has('bot_wall') ? screen(
    'We detected you may be a bot. Please check the box, or sign in.', loudCaptcha(),
    button('Sign in to join', () => {})) : screen({
    new: 'Automated bots aren’t allowed in this meeting.',
    old: 'We detected you may be a bot.',
    british: "Automated bots aren't allowed: they must use Zoom RTMS.",
  }[settings.wording]),
};

function showLobby(message) {
  state.phase = 'lobby';
  closeCall(); // the host may have put the bot back
  const text = message.host === 'absent' ? 'Waiting for the host to start this meeting'
    : isOld ? 'Please wait, the meeting host will let you in soon.'
      : 'Host has joined. We’ve let them know you’re here.';
  root.replaceChildren(el('div', {class: 'lobby waiting-room-container'}, el('h1', {}, text),
    button('Leave', leaveMeeting, {class: 'waiting-room-leave'})));
}

// --- the call ---

function showCall() {
  state.phase = 'call';
  const control = (label, attributes, onclick) =>
    button('', onclick, {...attributes, 'aria-label': label});
  const footer = el('footer', {id: 'wc-footer', class: 'bar'},
    button('', pressAudio, {'data-device': 'mic', 'class': 'join-audio-container__btn'}),
    button('', () => toggle('camera'),
      {'data-device': 'camera', 'class': 'send-video-container__btn'}),
    settings.roster === 'nothing' ? null
      : el('div', {class: 'participants-button'}),
    control('open the chat panel', {id: 'chat-button'}, toggleChat),
    isLive ? el('div', {'aria-label': 'More meeting control ', 'role': 'group',
      'class': 'dropdown-toggle'}, button('More', toggleMore))
      : el('div', {'aria-label': 'More meeting control ', 'role': 'button', 'onclick': toggleMore},
        'More'),
    quirks.has('quiet_gallery') ? control('View', {class: 'full-screen-widget__button'}, toggleView)
      : null,
    control('Leave', {class: 'footer__leave-btn'}, showLeaveOptions));
  root.replaceChildren(el('div', {id: 'video-share-layout'}, el('main', {id: 'tiles'})), footer);
  refreshDevices();
  renderPeople();
}

// Beside the sound, the button that joins it mutes.
function pressAudio() {
  if (!isLive && !quirks.has('no_sound') || state.sound) {
    toggle('mic');
    return;
  }
  state.nAudio++;
  send({t: 'dialog', what: 'audio: pressed'});
  if (isLive && state.nAudio > 1) // the first press goes astray
    listen();
}

function toggleView() {
  const old = document.querySelector('[role="menu"]');
  if (old) {
    old.remove();
    return;
  }
  const menu = el('div', {role: 'menu', class: 'panel'},
    button('Speaker View', () => {
      state.speakerView = true;
      send({t: 'dialog', what: 'view: speaker'});
      menu.remove();
      renderPeople();
    }, {role: 'menuitemradio'}));
  menu.firstChild.prepend(document.createElementNS('http://www.w3.org/2000/svg', 'svg'));
  menu.querySelector('svg').setAttribute('class', 'SvgSpeakerView');
  document.body.append(menu);
}

function toggleMore() {
  const old = document.querySelector('[role="menu"]');
  if (old) {
    old.remove();
    return;
  }
  const menu = el('ul', {role: 'menu', class: 'panel'},
    el(isLive ? 'a' : 'li', {'role': 'menuitem', 'class': 'dropdown-item',
      'aria-label': 'Stop Incoming Video', 'onclick': () => {
      state.videoOff = true;
      send({t: 'incoming_video', state: 'off'});
      menu.remove();
      renderPeople();
    }}, 'Stop Incoming Video'));
  document.body.append(menu);
}

function showLeaveOptions() {
  document.getElementById('wc-footer').append(el('div', {class: 'leave-meeting-options'},
    button('Leave Meeting', leaveMeeting, {class: 'leave-meeting-options__btn--danger'})));
}

function leaveMeeting() {
  send({t: 'leave'});
  screen('You have left the meeting');
}

function closeCall() {
  if (state.sound)
    state.sound.close();
  if (state.call)
    state.call.close();
  state.sound = state.call = null;
}

// --- people ---

const frames = {
  gallery: 'gallery-video-container__video-frame',
  bar: 'speaker-bar-container__video-frame',
  main: 'speaker-active-container__video-frame',
  single: 'single-main-container__video-frame',
};

function frame(kind, person, isActive) {
  const id = `${kind}-${person.device}`;
  let element = document.getElementById(id);
  if (!element) {
    element = el('div', {id, class: frames[kind]}, el('div', {class: 'video-avatar__avatar tile'},
      el('span', {class: 'initial'}, person.name.slice(0, 1)),
      isLive ? el('div', {class: 'video-avatar__avatar-title name'}, person.name)
        : el('div', {class: 'video-avatar__avatar-footer name'}, el('span', {}, person.name))));
    document.getElementById('tiles').append(element);
  }
  element.classList.toggle(`${frames[kind]}--active`, isActive &&
    (kind === 'bar' || (kind === 'gallery' && !quirks.has('quiet_gallery'))));
  setPicture(element.querySelector('.tile'), person);
  return id;
}

function setPicture(tile, person) {
  const old = tile.querySelector('video-player');
  const wanted = person.camera && !state.videoOff;
  if (old && !wanted)
    old.remove();
  if (!old && wanted) {
    const canvas = el('canvas', {'width': '640', 'height': '360', 'style': 'width: 100%',
      'data-number': String((person.csrc - 30000) / 37)});
    tile.append(el('video-player', {'node-id': person.device}, canvas));
  }
}

function renderPeople() {
  if (state.phase !== 'call')
    return;
  const shown = [];
  const marks = settings.tells !== 'nothing';
  const speaker = state.people.find((p) => p.csrc === state.active) || state.people[0];
  const inSpeakerView = isOld || state.speakerView;
  const isSingle = settings.wording === 'british'; // one frame, for whoever spoke last
  for (const person of isSingle ? [] : state.people) {
    const isActive = marks && person.csrc !== 0 && person.csrc === state.active;
    shown.push(frame(inSpeakerView ? 'bar' : 'gallery', person, isActive));
  }
  if ((inSpeakerView || isSingle) && marks && speaker)
    shown.push(frame(inSpeakerView ? 'main' : 'single', speaker, true));
  document.querySelectorAll('#tiles > div').forEach((e) => {
    if (!shown.includes(e.id))
      e.remove();
  });
  renderCount();
  renderList();
}

function renderCount() {
  const place = document.querySelector('.participants-button');
  const label = `open the participants list pane,[${state.people.length}] particpants`;
  if (place && isLive && state.people.length < 2) { // nobody to list
    place.replaceChildren();
    return;
  }
  if (place && !place.firstChild)
    place.append(button('Participants', () => {
      state.listOpen = !state.listOpen;
      renderList();
    }, {}));
  if (place)
    place.firstChild.setAttribute('aria-label', label);
}

function row(person, index) {
  const what = [person.host ? 'Host' : null, person.self ? 'me' : null].filter((x) => x);
  const suffix = what.length > 0 ? `(${what.join(', ')})` : '';
  return el('li', {'class': 'participants-li', 'id': `participants-list-${index}`,
    'aria-label': `${person.name} ${suffix},computer audio `
      + `${(person.self ? !state.mic.on : person.muted) ? 'muted' : 'unmuted'},`
      + `video ${person.camera ? 'on' : 'off'}`},
  el('span', {class: 'participants-item__display-name'}, person.name),
  el('span', {class: 'participants-item__name-label'}, suffix));
}

function renderList() {
  const old = document.getElementById('participants-pane');
  if (old)
    old.remove();
  if (state.phase === 'call' && state.listOpen)
    document.body.append(el('aside', {id: 'participants-pane', class: 'panel'},
      el('ul', {id: 'participants-ul', class: 'participants-ul'}, ...state.people.map(row))));
}

setInterval(() => {
  for (const canvas of document.querySelectorAll('video-player canvas'))
    drawPicture(canvas, Number(canvas.dataset.number), performance.now());
}, 40);

// --- chat ---

// A row shows before it has its id, and again when it has.
function liveMessage(c) {
  const element = el('div', {'class': 'chat-item-container', 'data-id': 'msgId-placeholder'},
    el('span', {'class': 'chat-item__sender', 'data-userid': c.device, 'data-name': c.from}, c.from),
    el('div', {class: 'chat-rtf-box__display'}, c.text));
  setTimeout(() => element.setAttribute('data-id', c.id), 1500);
  return element;
}

function messageElement(c, before) {
  if (isLive)
    return liveMessage(c);
  const from = c.from === state.name.trim() ? 'You' : c.from;
  return el('div', {class: 'new-chat-message__container', id: `chat-message-${c.id}`},
    before && before.from === c.from ? null : el('span', {class: 'chat-item__sender'}, from),
    el('div', {class: 'new-chat-message__content'},
      el('div', {class: 'chat-rtf-box__display'}, c.text)));
}

function toggleChat() {
  state.chatOpen = !state.chatOpen;
  renderChat();
}

function chatPane() {
  const editor = el('div', {'contenteditable': 'true', 'class': 'tiptap ProseMirror',
    'aria-label': 'chat message'});
  const submit = () => {
    const text = chatContent(editor).trim();
    if (text)
      send({t: 'chat', text});
    emptyChat(editor);
  };
  refuseAtFirst(editor);
  editor.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  });
  return el('aside', {class: 'panel', id: 'chat-pane'},
    el('div', {'aria-label': 'Chat Message List', 'class': 'chat-virtuoso-wrapper',
      'id': 'chat-list-content'}),
    el('div', {class: 'chat-rtf-box__editor-outer'}, editor),
    isOld ? null : button('', submit, {'class': 'chat-rtf-box__send', 'aria-label': 'send'}));
}

function renderChat() {
  const old = document.getElementById('chat-pane');
  if (state.phase !== 'call' || !state.chatOpen) {
    if (old)
      old.remove();
    return;
  }
  if (!old)
    showChat(addChatPane);
  else
    addMessages();
}

function addChatPane() {
  if (state.chatOpen && !document.getElementById('chat-pane')) {
    document.body.append(chatPane());
    addMessages();
  }
}

// Keeps what is being typed.
function addMessages() {
  const list = document.getElementById('chat-list-content');
  for (let i = list.children.length; i < state.chat.length; i++)
    list.append(messageElement(state.chat[i], state.chat[i - 1]));
}

// --- dialogs ---

const dialogs = {
  recorded: ['This meeting is being recorded', 'By staying you consent.', 'Got it'],
  transcribed: ['Live transcription has been enabled', 'Who can see this?', 'OK'],
  no_bots: ['This meeting is for people', 'Automated bots aren’t allowed here.', 'Leave'],
  breakout: ['Alice Martin is inviting you to join Breakout Room 1', '', 'Join Room', 'Later'],
  breakout_only: ['You are invited to Breakout Room 2', '', 'Join Room'],
  unmute: ['The host would like you to unmute', '', 'Unmute', 'Stay Muted'],
  deny_recording: ['Permission needed from Meeting Host',
    'The host does not allow recording of this meeting.', 'OK'],
};

function showDialog(name) {
  const [title, text, ...actions] = dialogs[name] || ['Something new', `About: ${name}`, 'Close'];
  const box = modal(title, text, ...actions.map((action, i) => button(action, () => {
    box.remove();
    send({t: 'dialog', what: `${name}: ${action}`});
  }, {class: i === 0 ? 'zm-btn--primary' : null})));
  document.body.append(box);
  send({t: 'dialog', what: `${name}: shown`});
}

// --- what the server says ---

function listen() {
  if (state.sound || settings.audio === 'receiver')
    return;
  state.sound = new Sound(settings.audio, document.getElementById('main-audio'));
  state.call.main.addEventListener('message', (event) => {
    if (state.sound)
      state.sound.take(event.data);
  });
}

// Some clients ask once more before anything is heard.
function askForAudio() {
  const box = modal('Join Audio', 'To hear others please join audio',
    button('Join Audio by Computer', () => {
      box.remove();
      listen();
    }, {class: 'join-audio-by-voip__join-btn'}));
  document.body.append(box);
}

function newCall() {
  closeCall();
  state.call = new Call({
    receivers: settings.receivers, send, channel: 'ZoomWebclientAudioDataChannel', onMain: () => {},
    onStream: () => {},
    onAudio: (track, stream) => {
      const outlet = document.getElementById('main-audio');
      outlet.srcObject = stream || new MediaStream([track]);
      outlet.play().catch(() => {});
    },
  });
  if (isOld)
    askForAudio();
  else if (state.heard && !isLive && !quirks.has('no_sound'))
    listen();
}

function showEnd(text) {
  if (quirks.has('redirected')) { // to where people begin
    state.ended = true;
    location.assign('/wc?from=meeting');
    return;
  }
  state.ended = true;
  closeCall();
  document.querySelectorAll('[role="dialog"], [role="alert"], .panel').forEach((e) => e.remove());
  if (isOld)
    root.replaceChildren(el('div', {class: 'screen leave-page'}, el('h1', {}, text)));
  else
    document.body.append(modal(text, '', button('OK', () => {})));
}

const overTexts = {
  removed: () => showEnd(otherTexts ? 'The host removed you from the meeting'
    : 'You have been removed from the meeting by the host'),
  host: () => showEnd(otherTexts ? 'The host ended the meeting' : isOld ? 'This meeting has ended'
    : 'This meeting has been ended by host'),
  not_found: () => walls.not_found(),
};

const handlers = {
  welcome: (message) => {
    state.token = message.token;
    state.early.splice(0).forEach(send);
  },
  passcode: (message) => {
    if (message.state === 'right')
      knock();
    else
      document.querySelector('.preview-error').hidden = false;
  },
  lobby: showLobby,
  admitted: (message) => {
    newCall();
    showCall();
    namesOf(message.dialogs).forEach(showDialog);
  },
  denied: () => screen(isOld ? 'The host denied your request to join'
    : 'You have been removed from the waiting room by the host'),
  people: (message) => { state.people = message.people; renderPeople(); },
  speaking: (message) => {
    if (message.csrcs.length > 0 && !message.csrcs.includes(state.active)) {
      state.active = message.csrcs[0]; // and stays, when nobody speaks
      renderPeople();
    }
  },
  chat: (message) => { state.chat.push(message); renderChat(); },
  dialog: (message) => showDialog(message.name),
  ended: (message) => overTexts[message.why](),
  freeze: () => { for (;;); },
  crash,
};

function dial() {
  dialServer(state, handlers, 'Reconnecting...');
}

function start() {
  if (settings.variant.startsWith('launcher-')) {
    showLauncher();
  } else if (settings.variant === 'shell') {
    showShell();
  } else if (settings.variant === 'not_started') {
    root.replaceChildren(el('div', {class: 'screen'}, quirks.has('error_page')
      ? 'This meeting link is invalid (3,001)' : 'The meeting can not be joined now.'));
  } else {
    showPreview();
    dial();
  }
}

start();
