// Texts as tokens, where a server says how it divides them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "labelprobe/server/answerer.h"

#include "server/client.h"
#include "server/dialect.h"

namespace labelprobe::server {

// See Answerer::tokenize().
std::optional<std::vector<Piece>> tokenize(Client& client,
                                           const Dialect& dialect,
                                           const std::string& text);

}  // namespace labelprobe::server
