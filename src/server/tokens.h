// Texts as tokens, where a server says how it divides them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "labelprobe/server/answerer.h"

#include "server/client.h"
#include "server/dialect.h"

namespace labelprobe::server {

// The tokens in llama.cpp's answer. Throws ModelError.
std::vector<Piece> read_pieces(const files::JsonView& reply);

// See Answerer::tokenize().
std::optional<std::vector<Piece>> tokenize(Client& client,
                                           const Dialect& dialect,
                                           const std::string& text);

}  // namespace labelprobe::server
