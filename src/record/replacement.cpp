#include "record/replacement.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/seekable_file.h"

#include "record/folder/folder_choice.h"
#include "record/log/finished.h"
#include "record/log/log_entries.h"
#include "record/log/log_lines.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

constexpr const char* kItemsName = "indexed_metrics.yml";

fs::path drafts_path(const fs::path& folder, std::size_t index) {
  return folder / fmt::format(".replacing_{}", index);
}

std::string read_text(const fs::path& file) {
  return files::size_of(file) ? std::string(files::MappedFile(file).text()) : "";
}

std::string without(const std::string& text, const FilePart& part) {
  return text.substr(0, part.begin) + text.substr(part.end);
}

// Throws DataError if an item that is not of `renewed` has other bytes than before. Blocks whose
// lines do not show where items begin are not looked at.
void check_unchanged(const fs::path& path,
                     std::string_view before,
                     std::string_view after,
                     const std::set<std::string>& renewed) {
  std::set<std::string_view> earlier;
  for (const Lines& entry : find_entries({before})) earlier.insert(entry.text);
  const std::vector<Lines> entries = find_entries({after});
  if (entries.size() == 1 || earlier.size() == 1) return;
  for (const Lines& entry : entries) {
    if (earlier.contains(entry.text)) continue;
    const std::string alone = fmt::format("experiment_0:\n{}", entry.text);
    const LogEntries item(path, {alone});
    if (item.size() > 0 && !renewed.contains(item.key(0))) {
      throw DataError(
          fmt::format("{}: item '{}' would not be written as it stands there; nothing was changed, "
                      "--again runs "
                      "the experiment once more",
                      path.string(), item.key(0)));
    }
  }
}

}  // namespace

Replacement::Replacement(files::Disk& disk,
                         const fs::path& folder,
                         const Manifest& manifest,
                         std::size_t index)
    : disk_(disk), folder_(folder), index_(index), before_(manifest.experiments[index].parts) {
  if (before_.empty()) {
    throw DataError(fmt::format(
        "{}: an earlier version of the program finished experiment_{} and did not note which bytes "
        "of the files are its own, so that its failed items cannot be replaced; --again runs it "
        "once more",
        folder.string(), index));
  }
  remove_drafts(disk_, folder_, index_);
  if (!fs::is_directory(folder_)) {
    throw ConfigError(fmt::format("{}: was moved or deleted while this run wrote its log there",
                                  folder_.string()));
  }
  disk_.make_folders(drafts());
  for (const auto& [name, part] : before_) {
    const std::string text = read_text(folder_ / name);
    check_part(text, folder_ / name, index_, manifest.experiments[index_], part);
    const std::string rest = without(text, part);
    if (!rest.empty()) disk_.replace(drafts() / name, rest);
  }
}

fs::path Replacement::drafts() const {
  return drafts_path(folder_, index_);
}

void Replacement::arrange(const std::vector<std::string>& appended,
                          const std::set<std::string>& renewed) {
  for (const std::string& name : appended) {
    const std::string old = read_text(folder_ / name);
    const auto found = before_.find(name);
    const FilePart place =
        found == before_.end() ? FilePart{old.size(), old.size(), ""} : found->second;
    const std::string rest = without(old, place);
    const std::string draft = read_text(drafts() / name);
    LABELPROBE_CHECK(draft.starts_with(rest));
    const std::string own = draft.substr(rest.size());
    if (own.empty()) continue;
    if (name == kItemsName) {
      check_unchanged(folder_ / name,
                      std::string_view(old).substr(place.begin, place.end - place.begin), own,
                      renewed);
    }
    after_[name] = {place.begin, place.begin + own.size(), fingerprint(own)};
    if (place.begin < rest.size()) {
      disk_.replace(drafts() / name, rest.substr(0, place.begin) + own + rest.substr(place.begin));
    }
  }
  // A file that only this experiment had, under a name that it has no more: an empty draft stands
  // for its end.
  for (const auto& [name, part] : before_) {
    if (!files::size_of(drafts() / name)) disk_.replace(drafts() / name, "");
  }
}

void Replacement::note_parts(Manifest& manifest) const {
  // Where a place of a file lies afterwards: what stands behind the experiment moves.
  const auto moved = [&](const std::string& name, std::uint64_t place) {
    const auto old = before_.find(name);
    if (old == before_.end() || place < old->second.end) return place;
    const auto now = after_.find(name);
    return place - old->second.end + (now == after_.end() ? old->second.begin : now->second.end);
  };
  for (std::size_t i = 0; i < manifest.experiments.size(); ++i) {
    if (i == index_) continue;
    for (auto& [name, part] : manifest.experiments[i].parts) {
      part.begin = moved(name, part.begin);
      part.end = moved(name, part.end);
    }
    for (auto& [name, size] : manifest.experiments[i].sizes) {
      if (size) size = moved(name, *size);
    }
  }
  manifest.experiments[index_].parts = after_;
}

fs::path retried_path(const fs::path& folder, std::size_t index) {
  return folder / fmt::format("retried_{}.jsonl", index);
}

void take_places(files::Disk& disk, const fs::path& folder, std::size_t index) {
  const fs::path drafts = drafts_path(folder, index);
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(drafts, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  // No such folder: an earlier process came as far as removing it.
  if (error && error != std::errc::no_such_file_or_directory) {
    throw ConfigError(
        fmt::format("{}: cannot be looked into: {}", drafts.string(), error.message()));
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name.ends_with(".tmp")) continue;
    if (files::size_of(drafts / name) == std::uint64_t{0}) {
      disk.remove(folder / name);
    } else {
      disk.rename(drafts / name, folder / name);
    }
  }
  disk.remove(lock_path(folder, index));
  disk.remove(retried_path(folder, index));
  remove_drafts(disk, folder, index);
}

void remove_drafts(files::Disk& disk, const fs::path& folder, std::size_t index) {
  const fs::path drafts = drafts_path(folder, index);
  std::error_code error;
  if (fs::exists(drafts, error)) disk.remove_folder(drafts);
}

std::map<std::string, FilePart> parts_of(const fs::path& folder, const FileSizes& sizes) {
  std::map<std::string, FilePart> parts;
  for (const auto& [name, size] : sizes) {
    const std::uint64_t begin = size.value_or(0);
    if (const std::uint64_t end = files::size_of(folder / name).value_or(0); end > begin) {
      parts[name] = {begin, end, files::fingerprint_of_part(folder / name, begin, end)};
    }
  }
  return parts;
}

}  // namespace labelprobe::record
