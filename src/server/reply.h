// The answer in a server's reply. Replies come from strangers: sizes, types and numbers are
// checked, and what is no answer is said with the address and the key.
#pragma once

#include "labelprobe/files/json.h"
#include "labelprobe/server/answerer.h"

namespace labelprobe::server {

// Reads both forms of log-probabilities wherever they stand: the lists "tokens", "token_logprobs"
// and "top_logprobs" of completions, and the list "content" of chats, which llama.cpp gives for
// completions too. Throws ModelError.
TextAnswer read_reply(const files::JsonView& reply, const Question& question);

}  // namespace labelprobe::server
