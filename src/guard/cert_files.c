/* SPDX-License-Identifier: ISC */
#include "guard/cert_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

/* Whom no file belongs to, also where there is no /etc/passwd. */
#define NOBODY 65534

#define IS_NSS "is a database of NSS, and this upsmon reads PEM"

static struct {
	char *bytes;		/* CERT_FILES_MAX of them; NULL: none are kept */
	size_t used;
} self;

/* ---- reading ---- */

/* Adds a file, and a newline, which some lack at the end; 0, or an errno value. */
static int add_file(int folder, const char *path)
{
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = 0;

	if (fd < 0)
		return errno;
	while (self.used + 2 < CERT_FILES_MAX) {
		n = read(fd, self.bytes + self.used, CERT_FILES_MAX - 2 - self.used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		self.used += (size_t)n;
	}
	if (n < 0) {
		n = errno;
		close(fd);
		return (int)n;
	}
	close(fd);
	if (self.used + 2 >= CERT_FILES_MAX)
		return EFBIG;
	self.bytes[self.used++] = '\n';
	return 0;
}

/* 1f2e3d4c.0 */
static bool is_hash(const char *name)
{
	size_t hex = strspn(name, "0123456789abcdef");

	return hex == 8 && name[8] == '.' && isdigit((unsigned char)name[9]);
}

static bool is_certificate(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcmp(dot, ".pem") == 0 || strcmp(dot, ".crt") == 0 ||
		       strcmp(dot, ".cer") == 0);
}

/* Adds the files of those names; how many there were, or -1 and errno. */
static int add_folder(const char *path, bool (*is_wanted)(const char *name))
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		int error = is_wanted(entry->d_name) ? add_file(dirfd(dir), entry->d_name) : ENOENT;

		if (error == EFBIG) {
			closedir(dir);
			errno = error;
			return -1;
		}
		count += error == 0;
	}
	closedir(dir);
	return count;
}

static bool is_nss(const char *path)
{
	static const char *const names[] = { "cert9.db", "cert8.db", "key4.db", "key3.db" };
	char file[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int len = snprintf(file, sizeof(file), "%s/%s", path, names[i]);

		if (len > 0 && (size_t)len < sizeof(file) && access(file, F_OK) == 0)
			return true;
	}
	return false;
}

static const char *add_authorities(const char *path)
{
	struct stat st;
	int count, error;

	if (stat(path, &st) < 0)
		return strerror(errno);
	if (!S_ISDIR(st.st_mode)) {
		error = add_file(AT_FDCWD, path);
		return error ? strerror(error) : NULL;
	}
	if (is_nss(path))
		return IS_NSS;
	count = add_folder(path, is_hash);
	if (count == 0)
		count = add_folder(path, is_certificate);
	if (count < 0)
		return strerror(errno);
	return count == 0 ? "there is no *.pem, *.crt or *.cer in it" : NULL;
}

/* Ends the text that has been added since `begin`. */
static struct tls_text end_text(size_t begin, const char *error)
{
	struct tls_text text = { self.bytes + begin, self.used - begin, error };

	self.bytes[self.used++] = '\0';
	if (!error && !memmem(text.text, text.size, "-----BEGIN ", 11))
		text.error = "there is no certificate in PEM in it";
	return text;
}

void cert_files_read(const struct conf *conf, struct tls_files *files)
{
	const char *error = "there is no CERTPATH";
	size_t begin;
	int failed;

	memset(files, 0, sizeof(*files));
	files->ca_path = conf_get(conf, conf->cert_path);
	files->own_path = conf_get(conf, conf->cert_file);
	files->password = conf_get(conf, conf->key_password);
	files->ca.error = files->own.error = error;
	/* a mapping, because it is large and soon given back */
	self.bytes = mmap(NULL, CERT_FILES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	self.used = 0;
	if (self.bytes == MAP_FAILED) {
		self.bytes = NULL;
		files->ca.error = files->own.error = "there is no memory to read it";
		return;
	}
	if (conf->cert_path) {
		error = add_authorities(files->ca_path);
		files->ca = end_text(0, error);
	}
	begin = self.used;
	if (conf->cert_file) {
		failed = add_file(AT_FDCWD, files->own_path);
		files->own = end_text(begin, failed ? strerror(failed) : NULL);
	}
}

/* Keys among them: nothing of it stays in memory. */
void cert_files_forget(void)
{
	if (self.bytes)
		munmap(self.bytes, CERT_FILES_MAX);
	self.bytes = NULL;
}

/* ---- looking ---- */

static bool is_verified(const struct conf *conf)
{
	for (unsigned int i = 0; i < conf->ups_count; i++) {
		if (conf->ups[i].tls_verify)
			return true;
	}
	return false;
}

/* Keys, and what the library makes of a file: nothing for root, and nobody else has to do with it. */
static void give_up_rights(void)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(1);
}

/* What the monitor would find, found by a child that does the same. */
static void try_them(const struct tls_files *files, struct tls_problems *problems)
{
	int ends[2], status = 0;
	pid_t pid;

	memset(problems, 0, sizeof(*problems));
	if (files->ca.error)
		snprintf(problems->ca, sizeof(problems->ca), "%s", files->ca.error);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		give_up_rights();
		tls_start(files, 1, problems);
		(void)!write(ends[1], problems, sizeof(*problems));
		_exit(0);
	}
	close(ends[1]);
	/* less than a pipe holds comes at once, or not at all */
	(void)!read(ends[0], problems, sizeof(*problems));
	close(ends[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		snprintf(problems->ca, sizeof(problems->ca), "it ends the library by signal %d",
			 WTERMSIG(status));
}

void cert_files_check(const struct conf *conf, struct conf_report *report)
{
	enum conf_severity severity = is_verified(conf) ? CONF_ERROR : CONF_WARNING;
	struct tls_problems problems;
	struct tls_files files;

	if (!conf->cert_path && !conf->cert_file)
		return;
	cert_files_read(conf, &files);
	try_them(&files, &problems);
	if (conf->cert_path && files.ca.error && strcmp(files.ca.error, IS_NSS) == 0)
		conf_say(report, CONF_ERROR, 0,
			 "CERTPATH %s " IS_NSS ".  Export the CA: cd there, certutil -L -d . (its name), "
			 "certutil -L -d . -n NAME -a >/etc/nut/ca.pem",
			 files.ca_path);
	else if (conf->cert_path && *problems.ca)
		conf_say(report, severity, 0, "CERTPATH %s: %s", files.ca_path, problems.ca);
	if (*problems.some)
		conf_say(report, CONF_WARNING, 0, "CERTPATH %s: %s", files.ca_path, problems.some);
	if (*problems.own)
		conf_say(report, CONF_WARNING, 0, "CERTFILE %s: %s; servers that want a certificate "
						  "will refuse this machine",
			 files.own_path, problems.own);
	cert_files_forget();
}
