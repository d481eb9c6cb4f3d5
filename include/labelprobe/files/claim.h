// A file that one process of several machines wins, by link(2): what shared file systems do in one
// step even where they keep the locks of each machine to itself. Held as long as the process lives.
// Whether a process of another machine lives cannot always be told; then it counts as alive until
// somebody takes over.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "labelprobe/files/disk.h"

namespace labelprobe::files {

// Puts `bytes` under a name that is not taken, in one step. False if it is: then nothing is
// written. Throws ConfigError as Disk does.
bool put_new_file(const std::filesystem::path& file, std::string_view bytes);

class Claim {
 public:
  // Waits as long as `patience` lasts, then throws LockedError naming the holder; at once if that
  // is of another machine and nobody knows whether it is alive. Throws ConfigError if the file
  // cannot be made. Nothing if the folder is not there, as when its holder has removed it.
  //   work  what the holder does, for messages: "does shard 2 of 4"
  static std::optional<Claim> take(const std::filesystem::path& file,
                                   const Patience& patience,
                                   const std::string& work);

  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) noexcept;
  ~Claim();  // removes the file

  // The process that holds it, "process 12 on ada, since ..."; nothing where none does.
  static std::optional<std::string> holder(const std::filesystem::path& file,
                                           bool takes_over = false);

  // False if the file was removed or taken over.
  bool is_in_place() const;

 private:
  Claim(std::filesystem::path file, int fd) : file_(std::move(file)), fd_(fd) {}

  std::filesystem::path file_;
  int fd_ = -1;
};

}  // namespace labelprobe::files
