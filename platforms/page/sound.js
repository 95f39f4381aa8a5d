/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a page plays by itself. Some clients take sound from the network with code of their own and play
 * it through WebAudio: no receiver brings it, so there is nothing to tap. Whatever goes to an audio
 * context's destination, or is played by a media element as a stream of the page's own making, is
 * copied here as decoded sound. The worker lets it pass only while no receiver's sound is tapped, so
 * that nothing is heard twice. With CONFIG.page_sound only.
 */
const soundCopies = new WeakMap(); // AudioContext -> its MediaStreamAudioDestinationNode
const sounds = new Map(); // track that is heard -> {context or null, element or null}: what plays it

/*
 * Whether nothing stands through which the meeting would be heard: neither a receiver whose sound is
 * negotiated, nor an element that plays a live track, nor anything connected to a context that runs.
 * That all of them are silent means nothing: so are people.
 */
steno.soundless = () => {
    const receives = [...taps.values()].some(({receiver, transceiver}) =>
        receiver.track.kind === 'audio' && receiver.track.readyState === 'live' &&
        /recv/.test(transceiver.currentDirection || ''));
    return !receives && ![...sounds].some(([track, {context, element}]) =>
        track.readyState === 'live' && (context === null || context.state === 'running') &&
        (element === null || (!element.paused && !element.muted && element.srcObject !== null &&
                              element.srcObject.getAudioTracks().includes(track))));
};

function endSound(id) {
    order({type: 'forget', key: 'track' + id});
    tell({type: 'track_ended', id});
}

/* Sends what @track carries until it ends; @context: (nullable) closing it ends the track too;
 * @element: (nullable) what plays it. */
function hear(track, streams, context, element) {
    const isHeard = sounds.has(track);
    sounds.set(track, {context, element});
    if (isHeard) {
        return;
    }
    const id = nextId++;
    const json = JSON.stringify({type: 'track', id, kind: 'audio', mode: 'page', track: track.id,
                                 mid: null, streams, attributes: []});
    order({type: 'announce', key: 'track' + id, json});
    const processor = new MediaStreamTrackProcessor({track});
    order({type: 'decode', id, page: true, readable: processor.readable}, [processor.readable]);
    track.addEventListener('ended', () => {
        sounds.delete(track);
        endSound(id);
    }, {once: true});
    if (context) {
        context.addEventListener('statechange', () => {
            if (context.state === 'closed') {
                track.stop();
                sounds.delete(track);
                endSound(id);
            }
        });
    }
}

/* What is connected to @target is connected to this node too; null: @target is not heard. */
function copyFor(target) {
    const context = target && target.context;
    if (!context || target !== context.destination || !context.createMediaStreamDestination) {
        return null;
    }
    let copy = soundCopies.get(context);
    if (copy === undefined) {
        copy = context.createMediaStreamDestination();
        soundCopies.set(context, copy);
        hear(copy.stream.getAudioTracks()[0], [copy.stream.id], context, null);
    }
    return copy;
}

function isReceived(track) {
    return [...taps.keys()].some((receiver) => receiver.track === track);
}

function hearElement(event) {
    const stream = event.target.srcObject;
    if (event.target.muted || event.target.paused || !stream || !stream.getAudioTracks) {
        return;
    }
    for (const track of stream.getAudioTracks()) {
        if (!ownTracks.has(track) && !isReceived(track)) {
            hear(track, [stream.id], null, event.target);
        }
    }
}

function hookSound(realm) {
    const nodes = realm.AudioNode.prototype;
    const {connect, disconnect} = nodes;
    nodes.connect = function(target, ...rest) {
        const result = connect.call(this, target, ...rest);
        const copy = copyFor(target);
        if (copy !== null) {
            connect.call(this, copy, ...rest.slice(0, 1));
        }
        return result;
    };
    nodes.disconnect = function(target, ...rest) {
        const copy = copyFor(target);
        disconnect.call(this, ...arguments);
        if (copy !== null) {
            disconnect.call(this, copy, ...rest.slice(0, 1));
        }
    };
    const elements = realm.HTMLMediaElement.prototype;
    const source = Object.getOwnPropertyDescriptor(elements, 'srcObject');
    Object.defineProperty(elements, 'srcObject', {
        ...source,
        set(value) {
            source.set.call(this, value);
            if (value) {
                this.addEventListener('playing', hearElement);
                this.addEventListener('volumechange', hearElement);
            }
        },
    });
}

if (CONFIG.page_sound) {
    hookSound(window);
}

/*
 * A frame of the page's own origin that holds the whole client: it gets this document's connections
 * and devices, and is heard like it. Called by the script in the frame, before the frame's own.
 */
steno.adopt = (realm) => {
    if (!CONFIG.frames) {
        return;
    }
    realm.RTCPeerConnection = window.RTCPeerConnection;
    if (realm.navigator.mediaDevices && navigator.mediaDevices) {
        realm.navigator.mediaDevices.getUserMedia = navigator.mediaDevices.getUserMedia;
        realm.navigator.mediaDevices.enumerateDevices = navigator.mediaDevices.enumerateDevices;
    }
    if (CONFIG.page_sound) {
        hookSound(realm);
    }
};
