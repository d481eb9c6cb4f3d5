// One function per plan (or two plans of one kind): all prompts of a run, in order.
#pragma once

#include <vector>

#include "prompt/sampling/demonstrations.h"

namespace labelprobe::prompt {

std::vector<Query> make_baseline(const Task& task);
std::vector<Query> make_multilabel_icl(const Task& task);
std::vector<Query> make_unary(const Task& task);
std::vector<Query> make_binary(const Task& task);
std::vector<Query> make_pair(const Task& task);

}  // namespace labelprobe::prompt
