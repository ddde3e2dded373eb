//! What stays, lets somebody in again or gives rights.

use super::refused;

#[test]
fn schedules_and_services_are_refused() {
    refused(
        "schedules_and_services",
        &[
            r#"(crontab -l; echo "* * * * * /home/u/x") | crontab -"#,
            r#"echo "@reboot /home/u/x" | crontab"#,
            "crontab /home/u/jobs",
            r#"echo "* * * * * root /x" >> /etc/crontab"#,
            "echo x > /etc/cron.d/job",
            "cp job.sh /etc/cron.daily/",
            "install -m 755 job.sh /etc/cron.hourly/job",
            r#"echo "/home/u/x" | at now + 5 minutes"#,
            "at -f /home/u/x.sh now",
            "batch < x.sh",
            "systemd-run --on-calendar=hourly /home/u/x",
            "cp evil.service ~/.config/systemd/user/",
            "launchctl load -w ~/Library/LaunchAgents/com.x.plist",
            "launchctl bootstrap gui/501 com.x.plist",
            "cp com.x.plist /Library/LaunchDaemons/",
            "echo 'x' >> /etc/rc.local",
            "echo 'x' | sudo tee -a /etc/rc.local",
            "cp evil /etc/init.d/evil",
            "ln -s /etc/init.d/evil /etc/rc3.d/S99evil",
            r#"echo "evil_enable=YES" >> /etc/rc.conf"#,
            "sysrc evil_enable=YES",
        ],
    );
}

#[test]
fn start_up_files_are_refused() {
    refused(
        "start_up_files",
        &[
            "echo 'x' >> ~/.bashrc",
            "echo 'x' >> $HOME/.zshrc",
            "echo x | tee -a ~/.profile",
            "echo x >> /etc/profile",
            "echo x > /etc/profile.d/x.sh",
            "echo x >> /root/.bash_profile",
            "sed -i '1i x' ~/.bashrc",
            "printf 'x' >> ~/.config/fish/config.fish",
            "echo x >> ~/.bash_logout",
            "echo x >> /etc/bash.bashrc",
            "echo x >> /etc/skel/.bashrc",
            "cp evil.desktop ~/.config/autostart/",
            "cp evil.desktop /etc/xdg/autostart/",
            "echo x >> ~/.xinitrc",
            "echo x > ~/.ssh/rc",
            "echo x >> /etc/environment",
            "echo 'x' > /etc/update-motd.d/99-x",
            r#"echo 'SUBSYSTEM=="net", RUN+="/x"' > /etc/udev/rules.d/99-x.rules"#,
            r#"echo 'APT::Update::Pre-Invoke {"x";};' > /etc/apt/apt.conf.d/99x"#,
            "echo 'x' > /etc/yum/pluginconf.d/x.conf",
            "cp x.py /usr/lib/yum-plugins/",
            "cp hook .git/hooks/pre-commit",
            "git config --global core.hooksPath /tmp/hooks",
            "echo x > /usr/lib/python3/dist-packages/sitecustomize.py",
            "echo 'import x' > ~/.local/lib/python3.11/site-packages/x.pth",
        ],
    );
}

#[test]
fn keys_and_accounts_are_refused() {
    refused(
        "keys_and_accounts",
        &[
            "echo 'ssh-rsa AAAA' >> ~/.ssh/authorized_keys",
            "cat key.pub | tee -a /root/.ssh/authorized_keys",
            "useradd -o -u 0 -g 0 evil",
            "useradd -M -N -r -s /bin/bash evil",
            "useradd -s /bin/bash evil",
            "useradd -m -r -s /bin/bash evil",
            "useradd -m -s /bin/bash -G docker evil",
            "usermod -aG docker evil",
            "usermod -aG sudo evil",
            "usermod -s /bin/bash daemon",
            "usermod -u 0 -o evil",
            "gpasswd -a evil wheel",
            "echo 'evil:pw' | chpasswd",
            r#"echo -e "pw\npw" | passwd evil"#,
            "echo 'evil::0:0::/root:/bin/bash' >> /etc/passwd",
            r#"echo "evil ALL=(ALL) NOPASSWD:ALL" >> /etc/sudoers"#,
            r#"echo "evil ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/evil"#,
            "sed -i 's/#PermitRootLogin no/PermitRootLogin yes/' /etc/ssh/sshd_config",
            r#"echo "auth sufficient pam_permit.so" >> /etc/pam.d/sshd"#,
            "cp pam_evil.so /lib/x86_64-linux-gnu/security/",
            "passwd -d root",
            "passwd -u evil",
            "groupadd -g 0 -o evil",
            "dscl . -create /Users/evil UniqueID 501",
            "sysadminctl -addUser evil -password x",
            "dseditgroup -o edit -a evil -t user admin",
            "dsenableroot",
            "pw useradd evil -s /bin/sh -G wheel",
            "pw usermod evil -u 0",
            "chsh -s /bin/bash nobody",
        ],
    );
}

#[test]
fn rights_are_refused() {
    refused(
        "rights",
        &[
            "chmod u+s /bin/bash",
            "chmod 4755 /tmp/x",
            "chmod +s /usr/bin/find",
            "chmod g+s /home/u/x",
            "cp /bin/bash /tmp/rootbash; chmod +s /tmp/rootbash",
            "install -m 4755 /bin/sh /tmp/x",
            "setcap cap_setuid+ep /usr/bin/python3",
            "setcap cap_net_raw,cap_sys_admin=ep ./x",
            "find / -perm -4000 -type f",
            "find / -perm -u=s -type f 2>/dev/null",
            "find / -uid 0 -perm -4000 -print",
            "find / -user root -perm /6000 -ls",
            "getcap -r /",
            "getcap -r / 2>/dev/null",
            "sudo -l",
            "sudo -u#-1 /bin/bash",
            r"sudo -u \#-1 id",
            "sudo sed -i 's/env_reset.*$/env_reset,timestamp_timeout=-1/' /etc/sudoers",
            "echo 'Defaults !tty_tickets' >> /etc/sudoers",
            "echo 1 > /proc/sys/kernel/yama/ptrace_scope",
            "sysctl -w kernel.yama.ptrace_scope=0",
            "sysctl -w kernel.randomize_va_space=0",
            "nsenter --target 1 --mount --uts --ipc --net --pid -- bash",
            "docker run --rm -it -v /:/mnt alpine chroot /mnt sh",
            "docker run --privileged -it alpine sh",
            "docker run --pid=host -it alpine sh",
            "docker run -v /var/run/docker.sock:/var/run/docker.sock alpine",
            "curl --unix-socket /var/run/docker.sock http://localhost/containers/json",
            "debugfs /dev/sda1",
            r#"kubectl run x --image=alpine --overrides='{"spec":{"hostPID":true}}'"#,
            "lxc config device add c host-root disk source=/ path=/mnt/root",
            "insmod evil.ko",
            "modprobe evil",
            "sudo kextload /x/evil.kext",
            "echo 'evil' >> /etc/modules",
            "echo '/x/evil.so' > /etc/ld.so.preload",
            "LD_PRELOAD=/x/evil.so ls",
            "export LD_PRELOAD=$HOME/evil.so",
            "DYLD_INSERT_LIBRARIES=./evil.dylib /bin/ls",
            "dd if=/dev/mem of=x",
        ],
    );
}
