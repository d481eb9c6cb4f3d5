// The prompts of a finished run, made anew: logs keep their hashes only.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/record/item_record.h"
#include "labelprobe/record/provenance.h"

namespace labelprobe::experiment {

struct RemadePrompts {
  // By log key, those that are known to be the run's: the log has their hash. Of chats the
  // messages, each below a line with its role; what stands around them is the model's own, so that
  // the data files are compared instead.
  std::map<std::string, std::string> texts;
  std::vector<std::string> notes;  // sentences: what was left out, and why
};

// Throws as make_questions().
RemadePrompts remake_prompts(const Settings& settings,
                             const std::vector<const record::ItemRecord*>& items,
                             std::span<const record::Provenance> provenance);

}  // namespace labelprobe::experiment
