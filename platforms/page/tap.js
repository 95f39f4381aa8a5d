/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steno's hooks on a meeting page's WebRTC. Runs in every document before the page's own scripts;
 * CONFIG and WORKER_SOURCE stand above it. Each receiver gets its transform in the very task that
 * creates it: set one task later, it would get no frame at all.
 *
 * Nothing here changes what the page is told about the browser, but for the classic audio path
 * (CONFIG.classic_audio) and the microphone and camera that Steno offers in place of a machine's.
 */
const steno = {};
Object.defineProperty(window, '__steno', {value: steno});

const NativePeerConnection = window.RTCPeerConnection;
const NativeTransform = window.RTCRtpScriptTransform;
const transformProperty =
    Object.getOwnPropertyDescriptor(RTCRtpReceiver.prototype, 'transform');
const nativeFetch = window.fetch;

// --- the worker and what it is told ---

let worker = null;

function getWorker() {
    if (worker === null) {
        const url = URL.createObjectURL(new Blob([WORKER_SOURCE], {type: 'text/javascript'}));
        worker = new Worker(url, {name: 'steno'});
        URL.revokeObjectURL(url);
        worker.onmessage = (event) => {
            if (event.data.type === 'counts') {
                takeCounts(event.data.counts);
            } else {
                takeUnknownCodec(event.data.id, event.data.mime);
            }
        };
        worker.postMessage({type: 'batch', ms: CONFIG.batch_ms});
        worker.postMessage({type: 'stand_in', px: CONFIG.stand_in_px});
        worker.onerror = (event) => { steno.failure = event.message || 'the worker did not start'; };
    }
    return worker;
}

function order(message, transfer) {
    getWorker().postMessage(message, transfer || []);
}

function tell(message) {
    order({type: 'text', json: JSON.stringify(message)});
}

function warn(code, text) {
    tell({type: 'warning', code, message: text});
}

steno.failure = null;

steno.link = (url) => {
    if (steno.failure !== null) {
        throw new Error(steno.failure);
    }
    order({type: 'link', url});
    return true;
};

// --- tracks ---

const taps = new Map(); // receiver -> Tap
let nextId = 1;

/* "tap": frames come from the transform; "page": the page set its own; "decoded": fallback. */
class Tap {
    constructor(peer, transceiver) {
        this.id = nextId++;
        this.peer = peer;
        this.transceiver = transceiver;
        this.receiver = transceiver.receiver;
        this.kind = this.receiver.track.kind;
        this.streams = [];
        this.attributes = [];
        this.mode = 'none';
        this.pageTransform = null;
        this.nTapped = 0;
        this.nTappedBefore = 0;
        this.nReceivedBefore = -1;
        this.nStuck = 0;
        this.sourcesTimer = 0;
    }

    announce() {
        const json = JSON.stringify({
            type: 'track', id: this.id, kind: this.kind, mode: this.mode,
            track: this.receiver.track.id, mid: this.transceiver.mid, streams: this.streams,
            attributes: this.attributes});
        order({type: 'announce', key: 'track' + this.id, json});
    }

    start() {
        if (this.kind === 'video' && !CONFIG.tap_video) {
            this.mode = 'unwanted';
        } else {
            try {
                const options = {id: this.id, kind: this.kind,
                                 mime: this.kind === 'audio' ? 'audio/opus' : 'video/VP8'};
                transformProperty.set.call(this.receiver,
                                           new NativeTransform(getWorker(), options));
                this.mode = 'tap';
            } catch (error) {
                this.fallBack('the transform was refused: ' + error);
            }
        }
        this.announce();
        this.receiver.track.addEventListener('ended', () => this.end());
    }

    end() {
        clearInterval(this.sourcesTimer);
        order({type: 'forget', key: 'track' + this.id});
        tell({type: 'track_ended', id: this.id});
        taps.delete(this.receiver);
    }

    /* Decoded audio instead; video that can't be tapped is only reported. */
    fallBack(reason) {
        if (this.mode === 'decoded' || this.mode === 'lost') {
            return;
        }
        this.mode = this.kind === 'audio' ? 'decoded' : 'lost';
        warn(this.kind === 'audio' ? 'audio_fallback' : 'video_not_tapped',
             this.kind + ' track ' + this.id + ' can not be tapped: ' + reason);
        if (this.kind === 'audio') {
            const processor = new MediaStreamTrackProcessor({track: this.receiver.track});
            order({type: 'decode', id: this.id, readable: processor.readable},
                  [processor.readable]);
            this.sourcesTimer = setInterval(() => this.sendSources(), 100);
        }
        this.announce();
    }

    sendSources() {
        const sources = this.receiver.getContributingSources()
            .filter((s) => performance.timeOrigin + performance.now() - s.timestamp < 200)
            .map((s) => s.source);
        order({type: 'sources', id: this.id, sources});
    }
}

function walk(peer) {
    for (const transceiver of peer.getTransceivers()) {
        if (!taps.has(transceiver.receiver)) {
            const tap = new Tap(peer, transceiver);
            taps.set(transceiver.receiver, tap);
            tap.start();
        }
    }
}

function onTrack(peer, event) {
    walk(peer);
    const tap = taps.get(event.receiver);
    tap.streams = event.streams.map((stream) => stream.id);
    tap.announce();
}

Object.defineProperty(RTCRtpReceiver.prototype, 'transform', {
    configurable: true,
    enumerable: transformProperty.enumerable,
    get() {
        const tap = taps.get(this);
        return tap ? tap.pageTransform : transformProperty.get.call(this);
    },
    set(value) {
        const tap = taps.get(this);
        if (tap) {
            tap.pageTransform = value;
        }
        if (value === null && tap) {
            return; // assigning null natively stops decoding
        }
        transformProperty.set.call(this, value);
        if (tap) {
            tap.fallBack('the page uses the transform itself');
        }
    },
});

if (CONFIG.classic_audio) {
    delete RTCRtpReceiver.prototype.createEncodedStreams;
}

// --- peer connections ---

const CHANNEL = 3, FETCH = 4; // kinds of records
const watches = new Map(); // name -> number

/* What was watched as @name: @data is an ArrayBuffer that nobody else needs. */
function report(record, name, data) {
    let number = watches.get(name);
    if (number === undefined) {
        number = watches.size;
        watches.set(name, number);
        order({type: 'announce', key: 'watch' + number,
               json: JSON.stringify({type: 'watch', number, name})});
    }
    order({type: 'data', record, number, data}, [data]);
}

/* A copy of a message as an ArrayBuffer, or a promise of one. */
function copyOf(data) {
    if (typeof data === 'string') {
        return new TextEncoder().encode(data).buffer;
    }
    return data instanceof Blob ? data.arrayBuffer()
        : ArrayBuffer.isView(data)
            ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)
            : data.slice(0);
}

function watchChannel(channel) {
    if (CONFIG.channels.includes(channel.label)) {
        channel.addEventListener('message', async (event) =>
            report(CHANNEL, channel.label, await copyOf(event.data)));
    }
    if (CONFIG.sends.includes(channel.label)) {
        const send = channel.send;
        channel.send = function(data) {
            send.call(this, data);
            Promise.resolve(copyOf(data)).then((copy) =>
                report(CHANNEL, channel.label + '>', copy)).catch(() => {});
        };
    }
}

/* Values of CONFIG.attributes ("a=x-source-streamid:7") in a description's sections, by mid. */
function readAttributes(description) {
    const found = new Map();
    for (const section of String(description && description.sdp || '').split(/^m=/m).slice(1)) {
        const lines = section.split(/\r?\n/);
        const mid = lines.find((line) => line.startsWith('a=mid:'));
        const values = CONFIG.attributes.flatMap((name) => lines
            .filter((line) => line.startsWith('a=' + name + ':'))
            .map((line) => line.slice(name.length + 3).trim()));
        if (mid !== undefined && values.length > 0) {
            found.set(mid.slice(6), values);
        }
    }
    return found;
}

/* Tells of tracks whose sections now say more. */
function label(peer, attributes) {
    for (const transceiver of peer.getTransceivers()) {
        const tap = taps.get(transceiver.receiver);
        const values = attributes.get(transceiver.mid) || [];
        const fresh = tap ? values.filter((value) => !tap.attributes.includes(value)) : [];
        if (fresh.length > 0) {
            tap.attributes.push(...fresh);
            tap.announce();
        }
    }
}

const peers = new Set();

function sendsAudio(peer) {
    return peer.getSenders().some((sender) => sender.track && sender.track.kind === 'audio');
}

/* What is said now would go nowhere: there is a connection for it, or one that may become it, but it
 * does not stand yet. */
steno.unsent = () => {
    const open = [...peers].filter((peer) => peer.connectionState !== 'closed');
    const senders = open.filter(sendsAudio);
    const stands = (some) => some.some((peer) => peer.connectionState === 'connected');
    const begins = (peer) => ['new', 'connecting'].includes(peer.connectionState);
    return senders.length > 0 ? !stands(senders) : !stands(open) && open.some(begins);
};

function watchPeer(peer) {
    for (const old of peers) {
        if (old.connectionState === 'closed') {
            peers.delete(old);
        }
    }
    peers.add(peer);
    peer.addEventListener('signalingstatechange', () => walk(peer));
    peer.addEventListener('track', (event) => onTrack(peer, event));
    peer.addEventListener('datachannel', (event) => watchChannel(event.channel));
    /* A page that makes several connections is cut off when none of them stands. */
    peer.addEventListener('connectionstatechange', () => {
        const stands = [...peers].some((other) => other.connectionState === 'connected');
        tell({type: 'connection', state: stands ? 'connected' : peer.connectionState});
    });
}

window.RTCPeerConnection = new Proxy(NativePeerConnection, {
    construct(target, args, newTarget) {
        if (CONFIG.classic_audio && args[0] && args[0].encodedInsertableStreams) {
            args[0] = {...args[0]};
            delete args[0].encodedInsertableStreams; // nobody would read the streams
        }
        const peer = Reflect.construct(target, args, newTarget);
        watchPeer(peer);
        return peer;
    },
});
if ('webkitRTCPeerConnection' in window) {
    window.webkitRTCPeerConnection = window.RTCPeerConnection;
}

/* After the call has made its receivers: at once where it is synchronous, else when it is done. */
for (const name of ['addTransceiver', 'addTrack', 'createOffer', 'createAnswer',
                    'setRemoteDescription', 'setLocalDescription']) {
    const native = NativePeerConnection.prototype[name];
    NativePeerConnection.prototype[name] = function(...args) {
        const attributes = readAttributes(args[0]);
        const result = native.apply(this, args);
        walk(this);
        if (result instanceof Promise) {
            result.then(() => {
                walk(this);
                label(this, attributes);
            }, () => {});
        }
        return result;
    };
}

const nativeCreateChannel = NativePeerConnection.prototype.createDataChannel;
NativePeerConnection.prototype.createDataChannel = function(...args) {
    const channel = nativeCreateChannel.apply(this, args);
    watchChannel(channel);
    return channel;
};

// --- fetched bodies ---

function watchedPart(parts, url) {
    return parts.find((part) => String(url).includes(part));
}

window.fetch = function(input, init) {
    const response = nativeFetch.call(this, input, init);
    const name = watchedPart(CONFIG.fetches, input instanceof Request ? input.url : input);
    if (name !== undefined) {
        response.then(async (r) => report(FETCH, name, await r.clone().arrayBuffer()))
            .catch(() => {});
    }
    return response;
};

function reportRequest(request, name) {
    const body = request.responseType === 'json' ? JSON.stringify(request.response)
        : request.response;
    if (body) {
        Promise.resolve(copyOf(body)).then((data) => report(FETCH, name, data)).catch(() => {});
    }
}

const nativeOpen = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function(method, url, ...rest) {
    const name = watchedPart(CONFIG.fetches, url);
    if (name !== undefined) {
        this.addEventListener('load', () => reportRequest(this, name), {once: true});
    }
    return nativeOpen.call(this, method, url, ...rest);
};

// --- sockets ---

if (CONFIG.sockets.length > 0) {
    window.WebSocket = new Proxy(window.WebSocket, {
        construct(target, args, newTarget) {
            const socket = Reflect.construct(target, args, newTarget);
            const name = watchedPart(CONFIG.sockets, args[0]);
            if (name !== undefined) {
                socket.addEventListener('message', async (event) =>
                    report(CHANNEL, name, await copyOf(event.data)));
            }
            return socket;
        },
    });
}

// --- watchdog: what a receiver gets must be what the tap gets ---

/* A sender may change its codec at any time, and this one is not decoded outside the page. */
function takeUnknownCodec(id, mime) {
    for (const tap of taps.values()) {
        if (tap.id === id) {
            tap.fallBack('its codec is now ' + mime);
        }
    }
}

const STUCK_CHECKS = 2; // times 2 s

function takeCounts(counts) {
    for (const tap of taps.values()) {
        tap.nTapped = counts.get(tap.id) || 0;
        if (tap.receiver.track.readyState === 'ended') {
            tap.end(); // a closed connection ends its tracks without an event
        } else if (tap.mode === 'tap') {
            check(tap);
        }
    }
}

async function check(tap) {
    const flows = tap.nTapped > tap.nTappedBefore;
    tap.nTappedBefore = tap.nTapped;
    if (flows || tap.receiver.track.muted) {
        tap.nStuck = 0;
        return;
    }
    let nReceived = 0;
    for (const report of (await tap.receiver.getStats()).values()) {
        if (report.type === 'inbound-rtp') {
            nReceived = tap.kind === 'audio' ? report.packetsReceived : report.framesReceived || 0;
        }
    }
    const grew = tap.nReceivedBefore >= 0 && nReceived > tap.nReceivedBefore + 10;
    tap.nReceivedBefore = nReceived;
    tap.nStuck = grew ? tap.nStuck + 1 : 0;
    if (tap.nStuck >= STUCK_CHECKS) {
        tap.fallBack('it receives, but no frame reaches the tap');
    }
}

// --- the microphone and camera that the page is offered ---

let microphoneTrack = null;
const CAMERA_FPS = 30; // at most: some pages dislike less
const CAMERA_REDRAW_MS = 500;
const ownTracks = new WeakSet(); // copies of the microphone that the page has
let cameraTrack = null;
let cameraCanvas = null;
let cameraPicture = null; // an ImageBitmap; null: black

function getMicrophone() {
    if (microphoneTrack === null) {
        microphoneTrack = new MediaStreamTrackGenerator({kind: 'audio'});
        order({type: 'microphone', writable: microphoneTrack.writable},
              [microphoneTrack.writable]);
    }
    const copy = microphoneTrack.clone(); // pages stop the tracks that they were given
    ownTracks.add(copy);
    return copy;
}

function getCamera() {
    if (cameraTrack === null) {
        cameraCanvas = document.createElement('canvas');
        cameraCanvas.width = 640;
        cameraCanvas.height = 360;
        drawCamera();
        cameraTrack = cameraCanvas.captureStream(CAMERA_FPS).getVideoTracks()[0];
        cameraTrack.contentHint = 'detail'; // a still picture: rather seldom than coarse
    }
    return cameraTrack.clone();
}

function drawCamera() {
    const context = cameraCanvas.getContext('2d');
    if (cameraPicture === null) {
        context.fillRect(0, 0, cameraCanvas.width, cameraCanvas.height);
    } else {
        cameraCanvas.width = cameraPicture.width;
        cameraCanvas.height = cameraPicture.height;
        context.drawImage(cameraPicture, 0, 0);
    }
}

/* @base64: a JPEG file. It is drawn again and again: a canvas that stands still sends nothing, and
 * who comes later would see nothing. */
steno.show_picture = async (base64) => {
    const file = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const isFirst = cameraPicture === null;
    cameraPicture = await createImageBitmap(new Blob([file], {type: 'image/jpeg'}));
    if (isFirst) {
        setInterval(() => cameraCanvas !== null && drawCamera(), CAMERA_REDRAW_MS);
    }
    return true;
};

if (navigator.mediaDevices) {
    const devices = [
        {kind: 'audioinput', deviceId: 'steno-microphone', label: 'Steno microphone'},
        {kind: 'videoinput', deviceId: 'steno-camera', label: 'Steno camera'},
    ].map((device) => ({...device, groupId: 'steno', toJSON() { return {...this}; }}));
    navigator.mediaDevices.getUserMedia = async (constraints) => {
        const stream = new MediaStream();
        if (constraints && constraints.audio) {
            stream.addTrack(getMicrophone());
        }
        if (constraints && constraints.video) {
            stream.addTrack(getCamera());
        }
        return stream;
    };
    const nativeEnumerate = navigator.mediaDevices.enumerateDevices;
    navigator.mediaDevices.enumerateDevices = async () => {
        const native = await nativeEnumerate.call(navigator.mediaDevices);
        return devices.concat(native.filter((device) => device.kind === 'audiooutput'));
    };
}

// --- drawing: what is not photographed is not drawn ---

const hidden = new CSSStyleSheet();
hidden.replaceSync('video { display: none !important; }');
document.adoptedStyleSheets = [...document.adoptedStyleSheets, hidden];

let keptShown = false;

/* From now on the page is a picture itself. */
steno.keepShown = () => {
    if (keptShown) {
        return;
    }
    keptShown = true;
    hidden.disabled = true;
    order({type: 'stand_in', px: 0});
};

/* Resolves when the change is on the screen. */
steno.show = (visible) => {
    hidden.disabled = visible || keptShown;
    return new Promise((resolve) => {
        setTimeout(resolve, 500); // a page in the background draws no frames
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)));
    });
};
