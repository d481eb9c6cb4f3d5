// The cache in which huggingface_hub keeps what it fetched: which revisions of a repository are
// there, and where. Knows nothing about what repositories hold.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/error_kind.h"

namespace labelprobe::files {

// HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else
// ~/.cache/huggingface/hub, as huggingface_hub looks.
std::filesystem::path hub_cache();

// "model" or "org/model" in the characters the hub allows.
bool is_hub_name(std::string_view name);

// "org/model@revision" in its parts; the revision is empty where none is asked for.
struct HubName {
  explicit HubName(const std::string& text);
  std::string name;
  std::string revision;
};

// What a folder holds, sorted; nothing where there is none.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder);

// One repository in the cache. Errors are of its kind: of data for data sets, of models for models.
class HubRepository {
 public:
  enum class Kind { Model, Dataset };

  HubRepository(Kind kind, const std::string& name);

  const std::filesystem::path& folder() const { return folder_; }
  bool is_empty() const { return commits_.empty(); }
  std::filesystem::path snapshot(const std::string& commit) const;

  // The commit of refs/main, or the only one there is. Throws saying which there are.
  std::string main() const;

  // The commit of a branch, a tag, or the beginning of a commit. Throws as above.
  std::string find(const std::string& revision) const;

  // A sentence where `commit` is not what refs/main names; else empty.
  std::string warn_of(const std::string& commit) const;

  // "hf download org/model --revision abc"
  std::string fetching_command(const std::string& revision) const;

 private:
  std::string named_by(const std::string& ref) const;
  bool has(const std::string& commit) const;
  std::string list() const;
  std::string what() const;

  Kind kind_;
  std::string name_;
  std::filesystem::path folder_;
  std::vector<std::string> commits_;  // sorted
};

}  // namespace labelprobe::files
