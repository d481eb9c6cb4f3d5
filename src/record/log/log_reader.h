// The items of a log's YAML files, entry by entry: the rest of a file, however large, is only
// scanned for line ends. Whether an experiment is finished is not asked here.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/files/mapped_file.h"
#include "labelprobe/record/item_record.h"

#include "record/log/log_entries.h"

namespace labelprobe::record {

// Whether the folder has a log with anything in it.
bool has_items(const std::filesystem::path& folder);

// The index as given, or the last one that indexed_metrics.yml has. Throws ConfigError naming the
// experiments there are if that is none of them, DataError without the file.
int choose_logged(const std::filesystem::path& folder, std::optional<int> index);

// The experiments that indexed_metrics.yml has, in its order.
std::vector<int> logged_experiments(const std::filesystem::path& folder);

// indexed_metrics.yml, and the entries of an experiment in it, which the file must outlive. Throw
// as read_items().
files::MappedFile open_items_file(const std::filesystem::path& folder);
LogEntries open_items(const std::filesystem::path& folder,
                      const files::MappedFile& file,
                      int index);

// The items of an experiment in indexed_metrics.yml. Throws as choose_logged(), and DataError
// (file, line, expected, found) if the file is not of its form.
std::vector<ItemRecord> read_items(const std::filesystem::path& folder, int index);

// The items of single annotators, as plain prompting logs them in annotator_preds.yml; keys are log
// keys ("de0__ann7"). None where the folder has no such file or the experiment no such items.
//   is_wanted  whether items of this example are; unset = all are
using WantedExample = std::function<bool(const std::string& example_id)>;
std::vector<ItemRecord> read_annotator_items(const std::filesystem::path& folder,
                                             int index,
                                             const WantedExample& is_wanted = {});

}  // namespace labelprobe::record
