#include "data/reading/records.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"

namespace labelprobe::data {

void SplitRecords::add(Record record, const std::string& place) {
  if (record.example_id.empty()) {
    throw DataError(place + ": expected an id, found an empty one");
  }
  if (!is_utf8(record.example_id)) {
    throw DataError(place + ": expected an id in UTF-8, found other bytes");
  }
  if (record.example_id.find(kIdSeparator) != std::string::npos) {
    throw DataError(fmt::format(
        "{}: expected an id without '{}' (it separates id and annotator in the log), found {}",
        place, kIdSeparator, files::shown(record.example_id)));
  }
  if (!is_utf8(record.text)) {
    throw DataError(place + ": expected a text in UTF-8, found other bytes; convert the file");
  }
  for (const Vote& vote : record.votes) {
    if (vote.annotator.empty() || vote.annotator.find(kIdSeparator) != std::string::npos ||
        !is_utf8(vote.annotator)) {
      throw DataError(
          fmt::format("{}: expected an annotator name that is UTF-8, not empty and without '{}'",
                      place, kIdSeparator));
    }
  }
  if (!position_of_.emplace(record.example_id, records_.size()).second) {
    throw DataError(fmt::format("{}: expected distinct ids within a split, found {} again", place,
                                files::shown(record.example_id)));
  }
  records_.push_back(std::move(record));
}

void SplitRecords::renumber_labels(std::span<const LabelIndex> new_index) {
  for (Record& record : records_) {
    for (Vote& vote : record.votes) {
      for (LabelIndex& label : vote.labels) {
        label = new_index[static_cast<std::size_t>(label)];
      }
      vote.labels = sorted_labels(std::move(vote.labels));
    }
  }
}

void SplitRecords::drop_annotators() {
  for (Record& record : records_) {
    std::erase_if(record.votes, [](const Vote& vote) { return vote.annotator != kAggregate; });
  }
}

const Record* SplitRecords::find(const std::string& example_id) const {
  const auto found = position_of_.find(example_id);
  return found == position_of_.end() ? nullptr : &records_[found->second];
}

void set_vote(std::vector<Vote>& votes, Vote vote) {
  for (Vote& earlier : votes) {
    if (earlier.annotator == vote.annotator) {
      earlier.labels = std::move(vote.labels);
      return;
    }
  }
  votes.push_back(std::move(vote));
}

Labels sorted_labels(Labels numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

void check_split(std::string_view dataset,
                 const std::string& split,
                 std::span<const std::string> known) {
  if (std::find(known.begin(), known.end(), split) == known.end()) {
    throw ConfigError(unknown_choice(fmt::format("{} split", dataset), split, known));
  }
}

std::string id_of(const files::JsonView& id) {
  if (!id.value().is_number_integer() && !id.value().is_string()) {
    id.fail_expected("an integer or a string");
  }
  return id.value().is_string() ? id.string() : id.value().dump();
}

std::vector<std::string> strings_of(const files::JsonView& list, const std::string& what) {
  if (!list.value().is_array() || list.value().empty()) {
    list.fail_expected("a list of " + what);
  }
  std::vector<std::string> strings;
  for (const files::JsonView& item : list.items()) {
    strings.push_back(item.string());
  }
  return strings;
}

files::SwallowedRows swallowed_rows(const DatasetOptions& options) {
  return options.allows_quoted_rows ? files::SwallowedRows::Allow : files::SwallowedRows::Refuse;
}

files::MappedFile open_data_file(const std::filesystem::path& path) {
  return files::open_file(path, "a file of the data set");
}

files::JsonView load_data_json(const std::filesystem::path& path) {
  return files::parse_json(open_data_file(path).text(), {path.string()});
}

void for_each_json_line(const std::filesystem::path& path,
                        const std::function<void(const files::JsonView&)>& take) {
  files::for_each_json_line(open_data_file(path).text(), path.string(), take);
}

}  // namespace labelprobe::data
