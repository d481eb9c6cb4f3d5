// The maps of task files that say where labels and votes stand and which rows make which split.
#pragma once

#include "labelprobe/files/yaml.h"

#include "data/tasks/task_form.h"

namespace labelprobe::data {

// Each throws ConfigError (file, line, expected, found, the nearest key).
LabelForm labels_of(const files::YamlView& value);

// Cells of annotators are read as the task's labels are, which are known before.
VoteForm votes_of(const files::YamlView& value, const TaskFile& task);

SplitForm split_of(const files::YamlView& value);

}  // namespace labelprobe::data
