/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A stand-in for a hardware encoder that this machine lacks: registered under the name of one, it
 * is x264 with faults to switch on.
 */

typedef enum {
    FAKE_ENCODER_WORKS,
    FAKE_ENCODER_DOES_NOT_START,
    FAKE_ENCODER_FAILS_AT_ONCE, /* with its first picture */
    FAKE_ENCODER_DIES,          /* after some pictures; again when it is started again */
    FAKE_ENCODER_DIES_ONCE,
} FakeEncoderFault;

/** Register "nvh264enc" in this process, or change the fault of what is made of it from now on. */
void fake_encoder_install(FakeEncoderFault fault, int n_pictures);

/** How many have been started. */
int fake_encoder_n_started(void);

/** How many have not been freed. */
int fake_encoder_n_alive(void);
