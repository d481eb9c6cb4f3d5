// Prompts whose texts are turned by different frequencies (weights/families/rope.h) share nothing:
// they are computed one kind after the other.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "model/engine/request.h"
#include "weights/families/rope.h"

namespace labelprobe::model {

struct PromptsOfLength {
  weights::TextLength length = weights::TextLength::Original;
  std::vector<std::size_t> prompts;
};

// Those of each kind that there is, in their order.
//   n_original  original_length() of the decoder
std::vector<PromptsOfLength> by_length(const Request& request,
                                       const std::vector<std::size_t>& prompts,
                                       std::int64_t n_original);

// Why a prompt cannot be run for the sake of its text's length; empty if it can. A text that passes
// the original length on its way would have to be computed anew from its first token on.
std::string length_obstacle(const Request& request, std::size_t prompt, std::int64_t n_original);

}  // namespace labelprobe::model
