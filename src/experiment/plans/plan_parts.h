// What rows of the table of plans have in common.
#pragma once

#include <optional>
#include <string_view>

#include "labelprobe/experiment/plan.h"

namespace labelprobe::experiment {

// The templates that the user gave, with their defaults.
prompt::Templates user_templates(const Settings& settings, const LabelSet& label_set);

// The labels of the example, or its prior labels where those are asked for.
std::optional<Labels> gold_labels(const Questions& questions, const prompt::Query& query);

inline constexpr std::string_view kNameNoLabel =
    "name no label: their scores are the uniform fallback, test_label_found is false";

}  // namespace labelprobe::experiment
