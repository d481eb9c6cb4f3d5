#include "record/request_checks.h"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/example.h"
#include "labelprobe/core/utf8.h"

#include "record/folder/folder_name.h"
#include "record/log/experiment_files.h"

namespace labelprobe::record {

void check_item(const ItemRecord& item, LogLayout layout) {
  check_loggable(item.key, item.annotator);
  if (layout.sets_annotators_apart && item.annotator != kAggregate) {
    example_of(item.key, item.annotator);
  }
  if (item.kind == LabelKind::SingleLabel) {
    LABELPROBE_CHECK(item.gold.size() == 1);
    LABELPROBE_CHECK(item.predictions.size() <= 1);  // none: a word answer that never came
  }
}

void check_loggable(const std::string& key, const std::string& annotator) {
  if (key.empty() || key == kDescriptionKey) {
    throw DataError(fmt::format("item id '{}' cannot be logged: the log keeps it for itself", key));
  }
  if (annotator == kDescriptionKey) {
    throw DataError(fmt::format(
        "annotator '{}' of item id '{}' cannot be logged: the log keeps that name for itself",
        annotator, key));
  }
}

void check_names(const RunRequest& request) {
  check_relative(request.category, "log category");
  wanted_name(request);
  if (!is_utf8(request.description)) {
    throw ConfigError("description: expected UTF-8 text");
  }
  if (request.description.empty()) {
    return;
  }
  const std::string prefix = encode_in_name(request.description);
  check_relative(prefix, "description");
  constexpr std::size_t kLongestFileName = 255;
  constexpr std::string_view kLongestEnding = "-annotator_metrics.yml";
  if (prefix.size() + kLongestEnding.size() > kLongestFileName) {
    throw ConfigError(fmt::format(
        "description '{}': expected at most {} bytes, as it begins file names, found {}",
        request.description, kLongestFileName - kLongestEnding.size(), prefix.size()));
  }
}

}  // namespace labelprobe::record
