/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/answer.h"

bool bot_answer_is_final(unsigned status)
{
    bool passing = status == 408 || status == 425 || status == 429;
    bool moved = status == 301 || status == 308;
    return moved || (status >= 400 && status < 500 && !passing);
}
